#!/usr/bin/env python3
"""topkd's kernels where it is hard: adversarial rows, every type, many cotangents, every length.

Nanoseconds for each number of x, one thread, medians of rounds in one run. See README.md.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

import numpy as np  # noqa: E402

from bench_kernels import build, clock  # noqa: E402

N = 65536


def hard_rows():
    """Rows made to be hard, by name."""
    g = np.random.default_rng(1)
    normal = g.standard_normal(N)
    outlier = normal.copy()
    outlier[7] = 1e30
    return {
        "N(0, 1)": normal,
        "2^-i, i up to 120": np.ldexp(1.0, -(np.arange(N) % 121)),
        "all equal": np.ones(N),
        "sorted": np.sort(normal),
        "two clusters": np.where(np.arange(N) % 2, 1, -1) + 1e-3 * normal,
        "one huge outlier": outlier,
    }


def table(title, columns):
    """The head of one table."""
    print(f"\n{title}\n\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")


def main():
    """All tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.05, help="for each number of a round")
    args = parser.parse_args()
    ours = build()
    folder = tempfile.mkdtemp()
    raw = Path(folder, "x.bin")

    def cost(x, k, lam, p, operator="mask", direction="forward", solver="threshold", g=1,
             dtype="float32"):
        """Nanoseconds a number of x."""
        rows, n = x.shape
        stored = {
            "float32": lambda a: a.astype(np.float32), "float64": lambda a: a.astype(np.float64),
            "float16": lambda a: a.astype(np.float16),
            "bfloat16": lambda a: (a.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16),
        }[dtype]
        numbers = stored(x)
        raw.write_bytes(numbers.tobytes() * (1 + g if direction != "forward" else 1))
        ours.ask("load", raw, dtype, rows, n)
        words = (args.seconds, operator, direction, g, f"k={k}", f"lambda={lam}", f"p={p}",
                 f"solver={solver}")
        return statistics.median(float(ours.ask("time", *words)) for _ in range(args.rounds))

    kinds = [(o, p) for o in ("mask", "magnitude") for p in ("2", "4/3", "3")]
    table(f"1 x {N}, k = n/2, lambda = 10", [f"{o} {p}" for o, p in kinds])
    for name, row in hard_rows().items():
        costs = [cost(row[None], N // 2, 10, p, o) for o, p in kinds]
        print(f"| {name} | {' | '.join(f'{c:.1f}' for c in costs)} |", flush=True)

    x = np.random.default_rng(2).standard_normal((256, 4096))
    dtypes = ["float32", "float64", "float16", "bfloat16"]
    table("256 x 4096, k = 64, lambda = 0.1, p = 2", dtypes)
    for operator in ("mask", "magnitude"):
        costs = [cost(x, 64, 0.1, "2", operator, dtype=dtype) for dtype in dtypes]
        print(f"| {operator} | {' | '.join(f'{c:.2f}' for c in costs)} |", flush=True)

    counts = [1, 4, 16]
    table("256 x 4096, k = 64, lambda = 0.1, p = 2: forward, vjp of G cotangents",
          ["forward"] + [f"G = {g}" for g in counts])
    for operator in ("mask", "magnitude"):
        costs = [cost(x, 64, 0.1, "2", operator)]
        costs += [cost(x, 64, 0.1, "2", operator, "vjp", g=g) for g in counts]
        print(f"| {operator} | {' | '.join(f'{c:.2f}' for c in costs)} |", flush=True)

    table("solver pav beside sorts, k = n/100, lambda = 0.1",
          ["numpy.sort", "its own sort", "mask 2", "mask 4/3", "mask 3"])
    for rows, n in ((64, 1000), (16, 65536)):
        x = np.random.default_rng(3).standard_normal((rows, n)).astype(np.float32)
        sort = clock(args.seconds, lambda: np.sort(x, axis=1)) / x.size  # noqa: B023
        costs = [cost(x, n // 100, 0.1, p, solver="pav") for p in ("2", "4/3", "3")]
        own = statistics.median(float(ours.ask("sort", args.seconds)) for _ in range(args.rounds))
        numbers = " | ".join(f"{c:.1f}" for c in [sort, own, *costs])
        print(f"| {rows} x {n} | {numbers} |", flush=True)

    table("64 x 65536, k = 1024, lambda = 0.1: threads", ["one", "two", "ratio"])
    raw.write_bytes(np.random.default_rng(5).standard_normal((64, 65536)).astype("f4").tobytes())
    ours.ask("load", raw, "float32", 64, 65536)
    for operator, p in (("mask", "2"), ("mask", "4/3"), ("magnitude", "2")):
        words = (operator, "forward", 1, "k=1024", "lambda=0.1", f"p={p}", "solver=threshold")
        pairs = [
            [float(ours.ask("threads", args.seconds, count, *words)) for count in (1, 2)]
            for _ in range(3 * args.rounds)
        ]
        one, two = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"| {operator} {p} | {one:.2f} | {two:.2f} | {ratio:.2f} |", flush=True)

    lengths = [10**i for i in range(3, 8)]
    table("one row, k = n/100, lambda = 0.1, p = 2: cost by length", [f"{n:.0e}" for n in lengths])
    for operator in ("mask", "magnitude"):
        costs = [
            cost(np.random.default_rng(4).standard_normal((1, n)), n // 100, 0.1, "2", operator)
            for n in lengths
        ]
        print(f"| {operator} | {' | '.join(f'{c:.2f}' for c in costs)} |", flush=True)


main()
