#!/usr/bin/env python3
"""The operators beyond the paper beside their peers, one thread, one run.

soft_topk beside mask and beside 200 iterations of Sinkhorn's loop; top_kast and gaussian_k beside
a plain selection: topkd's own hard top k by magnitude, numpy.argpartition and torch.topk. Rounds
alternate between all of them; numbers are medians, ratios the medians of the rounds' ratios.
Nanoseconds for each number of x.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from bench_kernels import SHAPES, build, clock  # sets the threads before NumPy comes

import numpy as np
import torch

TAU = 0.1
# The published defaults.
ITERATIONS = 200
EPSILON = 0.1


def sinkhorn(x, k, epsilon):
    """SOFT top-k by Sinkhorn's loop, as published, for the largest: x [B, n] -> [B, n]."""
    n = x.shape[1]
    costs = torch.stack([(x - 1) ** 2, x**2], dim=2)
    kernel = torch.exp(-costs / costs.max() / epsilon)
    masses = torch.tensor([k / n, 1 - k / n], dtype=x.dtype)
    right = torch.ones(x.shape[0], 2, 1, dtype=x.dtype) / 2
    for _ in range(ITERATIONS):
        left = (1 / n) / (kernel @ right)
        right = masses[None, :, None] / (kernel.transpose(1, 2) @ left)
    return n * (left * kernel * right.transpose(1, 2))[:, :, 0]


def lines(k, n):
    """What is timed on topkd's side, by name: words for its process."""
    soft = (f"k={k}", f"tau={TAU}")
    kast = (f"k_forward={k}", f"k_backward={min(2 * k, n)}")
    gauss = (f"density={k / n}", "legacy_mean=false")
    return {
        "mask": ("mask", "forward", 1, f"k={k}"),
        "mask, p = 2": ("mask", "forward", 1, f"k={k}", "p=2"),
        "mask vjp": ("mask", "vjp", 1, f"k={k}"),
        "mask vjp, p = 2": ("mask", "vjp", 1, f"k={k}", "p=2"),
        "selection": ("magnitude", "forward", 1, f"k={k}", "lambda=0"),
        "soft_topk": ("soft_topk", "forward", 1, *soft),
        "soft_topk vjp": ("soft_topk", "vjp", 1, *soft),
        "top_kast": ("top_kast", "forward", 1, *kast),
        "top_kast vjp": ("top_kast", "vjp", 1, *kast),
        "gaussian_k": ("gaussian_k", "forward", 1, *gauss),
        "gaussian_k, residual": ("gaussian_k", "forward", 1, *gauss, "residual=behind"),
    }


PEERS = {
    "soft_topk": ["mask", "mask, p = 2", "sinkhorn"],
    "soft_topk vjp": ["mask vjp", "mask vjp, p = 2"],
    "top_kast": ["selection", "argpartition", "topk"],
    "top_kast vjp": ["selection"],
    "gaussian_k": ["selection", "argpartition", "topk"],
    "gaussian_k, residual": ["selection"],
}


def measure(ours, name, args):
    """One shape's table."""
    rows, n = map(int, name.split("x"))
    k = SHAPES[name]
    generator = np.random.default_rng(1)
    x = generator.standard_normal((rows, n)).astype(np.float32)
    raw = Path(tempfile.mkdtemp(), "x.bin")
    raw.write_bytes(x.tobytes() + generator.standard_normal((rows, n)).astype("f4").tobytes())
    tensor, size = torch.from_numpy(x), x.size
    peers = {
        "argpartition": lambda: np.argpartition(np.abs(x), n - k, axis=1),
        "topk": lambda: torch.topk(tensor.abs(), k, dim=1),
        "sinkhorn": lambda: sinkhorn(tensor, k, EPSILON),
    }
    timed = lines(k, n)
    found = {key: [] for key in [*peers, *timed]}
    ours.ask("load", raw, "float32", rows, n)
    for _ in range(args.rounds):
        for key, words in timed.items():
            found[key].append(float(ours.ask("time", args.seconds, *words)))
        for key, body in peers.items():
            seconds = 0 if key == "sinkhorn" else args.seconds
            found[key].append(clock(seconds, body) / size)
    middle = statistics.median
    print(f"\n{name}, k = {k}\n\n| | ns | beside |\n|---|---|---|")
    for key, others in PEERS.items():
        ratios = []
        for other in others:
            ratio = middle(a / b for a, b in zip(found[key], found[other], strict=True))
            text = f"{ratio:.1f}x" if ratio >= 0.1 else f"1/{1 / ratio:.0f}"
            ratios.append(f"{other} {middle(found[other]):.2f} ({text})")
        print(f"| {key} | {middle(found[key]):.2f} | {', '.join(ratios)} |", flush=True)


def main():
    """All shapes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each number of a round")
    args = parser.parse_args()
    torch.set_num_threads(1)
    check()
    ours = build()
    for name in args.shapes:
        measure(ours, name, args)


def check():
    """The loop at a kind temperature is the closed form, tau = epsilon / 2 here."""
    x = torch.linspace(0, 1, 30, dtype=torch.float64)[None]
    y = sinkhorn(x, 6, 2.0)[0]
    low, high = -50.0, 50.0
    for _ in range(100):
        middle = (low + high) / 2
        total = torch.sigmoid((x[0] - middle) / 1.0).sum()
        low, high = (middle, high) if total > 6 else (low, middle)
    assert (y - torch.sigmoid((x[0] - low) / 1.0)).abs().max() < 1e-6


if __name__ == "__main__":
    main()
