#!/usr/bin/env python3
"""The kernels of two builds side by side: the 56 lines of bench_kernels.py, without its peers.

    swift build -c release --product kernels        # in each checkout
    bench_before.py BEFORE AFTER [--rounds 9] [--seconds 0.02] [--shapes 1x1000,65536x64]

Each measurement is a process of its own (two starts of one program differ by up to 4 %); rounds
alternate, and in turn who goes first. A ratio is the median of the rounds' ratios, after / before.
"""

import argparse
import array
import random
import statistics
import subprocess
import tempfile

SHAPES = {"1x1000": 10, "64x1000": 10, "256x4096": 64, "16x65536": 1024, "1x1000000": 1000,
          "65536x64": 2, "8192x64": 2}
FURTHER = {"soft_topk": "k={k} tau=0.1", "gaussian_k": "density={share} legacy_mean=false",
           "top_kast": "k_forward={k}"}


def lines_of(rows, n, k, further):
    """(name, words for the Swift side)."""
    for direction in ("forward", "vjp"):
        for op in ("mask", "magnitude"):
            for p in ("4/3", "2"):
                exponent = [] if p == "4/3" else [f"p={p}"]
                yield f"{op} p={p} {direction}", [op, direction, "1", f"k={k}", *exponent]
        for op, words in FURTHER.items() if further else ():
            yield f"{op} {direction}", [op, direction, "1",
                                        *words.format(k=k, share=k / n).split()]


def nanoseconds(program, file, rows, n, seconds, words):
    """For each number of x."""
    text = f"load {file} float32 {rows} {n}\ntime {seconds} {' '.join(words)}\n"
    run = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.02)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--further", action="store_true", help="operators beyond the paper, too")
    args = parser.parse_args()
    programs = (args.before, args.after)
    numbers = random.Random(1)
    base = [numbers.gauss(0, 1) for _ in range(1 << 18)]
    all_ratios = []
    for shape in args.shapes.split(","):
        rows, n = map(int, shape.split("x"))
        lines = list(lines_of(rows, n, SHAPES[shape], args.further))
        found = {name: ([], []) for name, _ in lines}
        with tempfile.NamedTemporaryFile() as file:
            count = 2 * rows * n
            file.write(array.array("f", (base[i * 7919 % (1 << 18)] for i in range(count))))
            file.flush()
            for number in range(args.rounds):
                for place, (name, words) in enumerate(lines):
                    for side in ((0, 1) if (number + place) % 2 else (1, 0)):
                        found[name][side].append(
                            nanoseconds(programs[side], file.name, rows, n, args.seconds, words))
        for name, (before, after) in found.items():
            ratio = statistics.median(b / a for a, b in zip(before, after, strict=True))
            all_ratios.append(ratio)
            print(f"{shape:10} {name:24} {statistics.median(before):9.3f}"
                  f" {statistics.median(after):9.3f} ns {ratio:7.3f}"
                  f" best {min(after) / min(before):6.3f}", flush=True)
    print(f"{len(all_ratios)} lines: median {statistics.median(all_ratios):.3f},"
          f" largest {max(all_ratios):.3f}")


if __name__ == "__main__":
    main()
