#!/usr/bin/env python3
"""topkd's kernels beside numba PAV, numpy.sort, torch.topk and memcpy, one thread, one run.

Each line is a shape, an operator, p and a direction; rounds alternate between all of them, and
every number is a median over rounds, ratios the medians of the rounds' ratios. Answers are
compared first. Nanoseconds for each number of x. numba PAV sorts by itself, or gets its order from
NumPy. See README.md.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"
# Nothing is left beside the sources, where SwiftPM would find it.
sys.dont_write_bytecode = True
os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp()

import numpy as np  # noqa: E402
import torch  # noqa: E402

import peer_numba  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {
    "1x1000": 10, "64x1000": 10, "256x4096": 64, "16x65536": 1024, "1x1000000": 1000, "65536x64": 2,
    "8192x64": 2,  # the same where x and cotangents stay in the last cache
}
LAMBDA = 0.1
SORTS = {"numba": True, "NumPy": False}  # who sorts for numba PAV: whether it does so itself
CALLS_SECONDS = 2e-5  # so long between two looks at the clock, at least
DIFFERENCE_MAX = 2e-3  # numba's cubic cancels; it is the peer that is off


class Ours:
    """The Swift process, driven over pipes."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *words):
        """One command, one line back."""
        print(*words, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline().strip()
        if not line:
            sys.exit(f"the Swift side failed at {words}")
        return line


def build():
    """Builds the Swift side in release, and starts it."""
    command = ["swift", "build", "-c", "release", "--product", "kernels", "--static-swift-stdlib"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    return Ours(ROOT / ".build/release/kernels")


def clock(seconds, body):
    """The median time of one call in nanoseconds, over as many as fit, at least three; of a few
    calls together where they are short, as the Swift side does."""
    body()
    start = time.perf_counter()
    body()
    calls = range(max(1, int(CALLS_SECONDS / (time.perf_counter() - start))))
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter_ns()
        for _ in calls:
            body()
        times.append((time.perf_counter_ns() - start) / len(calls))
    return statistics.median(times)


def measure(ours, args, name, folder):
    """All lines of one shape."""
    (rows, n), k = map(int, name.split("x")), SHAPES[name]
    generator = np.random.default_rng(1)
    x = generator.standard_normal((rows, n), dtype=np.float32)
    c = generator.standard_normal((rows, n), dtype=np.float32)
    raw, answer = Path(folder, "x.bin"), Path(folder, "answer.bin")
    raw.write_bytes(x.tobytes() + c.tobytes())
    tensor, out = torch.from_numpy(x), np.zeros_like(x)
    size = x.size
    baselines = {
        "memcpy": lambda: float(ours.ask("memcpy", args.seconds, n if n >= 4096 else size)),
        "sort": lambda: clock(args.seconds, lambda: np.sort(x, axis=1)) / size,
        "topk": lambda: clock(args.seconds, lambda: torch.topk(tensor, k, dim=1)) / size,
    }
    lines = [(o, p, d) for o in args.operators for p in args.ps for d in args.directions]
    found = {key: [] for key in [*baselines, *lines]}
    peers = {(sort, line): [] for sort in SORTS for line in lines}
    for number in range(args.rounds):
        ours.ask("load", raw, "float32", rows, n)
        for key, body in baselines.items():
            found[key].append(body())
        for line in lines:
            operator, p, direction = line
            words = (operator, direction, 1, f"k={k}", f"lambda={LAMBDA}", f"p={p}",
                     f"solver={args.solver}")
            flags = (k, LAMBDA, p == "4/3", operator == "magnitude", direction == "vjp")
            if number == 0:
                ours.ask("answer", answer, *words)
                theirs = peer_numba.run(x, c, *flags, np.zeros_like(x))
                off = np.abs(np.fromfile(answer).reshape(x.shape) - theirs)
                off /= np.maximum(1, np.abs(theirs).max(axis=1, keepdims=True))
                if not off.max() <= DIFFERENCE_MAX:
                    print(f"  {name} {line}: answers differ by {off.max():.1e}", file=sys.stderr)
            found[line].append(float(ours.ask("time", args.seconds, *words)))
            for sort, itself in SORTS.items() if args.peer else []:
                body = lambda: peer_numba.run(x, c, *flags, out, itself)  # noqa: E731, B023
                peers[sort, line].append(clock(args.seconds, body) / size)
    report(name, k, baselines, lines, found, peers)


def report(name, k, baselines, lines, found, peers):
    """The medians of one shape."""
    middle = statistics.median
    shown = ", ".join(f"{key} {middle(found[key]):.2f}" for key in baselines)
    print(f"\n{name}, k = {k}: {shown} ns\n")
    print(
        "| operator | p | direction | topkd ns | numba PAV ns | ratio | NumPy's argsort ns | ratio "
        "| / memcpy | / forward |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for line in lines:
        operator, p, direction = line
        pav = ""
        for sort in SORTS:
            times = peers[sort, line]
            ratios = [b / a for a, b in zip(found[line], times, strict=False)]
            pav += f"{middle(times):.1f} | {middle(ratios):.0f}x | " if times else " | | "
        copies = middle(a / b for a, b in zip(found[line], found["memcpy"], strict=True))
        forward = found.get((operator, p, "forward"), found[line])
        slower = middle(a / b for a, b in zip(found[line], forward, strict=True))
        print(
            f"| {operator} | {p} | {direction} | {middle(found[line]):.2f} | {pav}"
            f"{copies:.1f} | {slower:.2f} |"
        )
    sys.stdout.flush()


def main():
    """Options, build, shapes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--operators", nargs="+", default=["mask", "magnitude"])
    parser.add_argument("--ps", nargs="+", default=["2", "4/3"])
    parser.add_argument("--directions", nargs="+", default=["forward", "vjp"])
    parser.add_argument("--solver", default="threshold")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each number of a round")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="leave numba out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    ours = build()
    with tempfile.TemporaryDirectory() as folder:
        for name in args.shapes:
            measure(ours, args, name, folder)


if __name__ == "__main__":
    main()
