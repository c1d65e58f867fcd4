#!/usr/bin/env python3
"""Draws cost.svg from the table "cost by length" of Benchmarks/kernels/bench_worst.py.

Usage: bench_worst.py | tee results.md; docs/pictures/cost.py < results.md > docs/pictures/cost.svg
Both axes are logarithms; the dashed lines have slope 1: cost in proportion to n. Standard library
only.
"""

import math
import sys

LEFT, TOP, WIDTH, HEIGHT = 70, 30, 560, 300
COLORS = {"mask": "#1f77b4", "magnitude": "#d62728"}
X_RANGE, Y_RANGE = (3, 7), (2, 8)  # powers of ten: numbers, nanoseconds


def rows(lines):
    """The table's rows: name, nanoseconds for each number."""
    found, lengths = {}, []
    for line in lines:
        if line.startswith("one row, k = n/100"):
            found, lengths = {}, ["next"]
        elif lengths == ["next"] and line.startswith("| |"):
            lengths = [float(cell) for cell in line.split("|")[2:-1]]
        elif lengths and lengths != ["next"] and line.split("|")[1:2] and line[2:6].isalpha():
            cells = line.split("|")
            found[cells[1].strip()] = [float(cell) for cell in cells[2:-1]]
    return lengths, found


def at(n, nanoseconds):
    """A point of the picture."""
    x = (math.log10(n) - X_RANGE[0]) / (X_RANGE[1] - X_RANGE[0])
    y = (math.log10(nanoseconds) - Y_RANGE[0]) / (Y_RANGE[1] - Y_RANGE[0])
    return LEFT + x * WIDTH, TOP + (1 - y) * HEIGHT


def main():
    """The picture, on standard output."""
    lengths, found = rows(sys.stdin.read().splitlines())
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" '
           f'height="{TOP + HEIGHT + 50}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>']
    for power in range(X_RANGE[0], X_RANGE[1] + 1):
        x, y = at(10**power, 10 ** Y_RANGE[0])
        out.append(f'<line x1="{x:.0f}" y1="{TOP}" x2="{x:.0f}" y2="{y:.0f}" stroke="#ddd"/>'
                   f'<text x="{x:.0f}" y="{y + 18:.0f}" text-anchor="middle">1e{power}</text>')
    for power, label in ((3, "1 µs"), (4, "10 µs"), (5, "100 µs"), (6, "1 ms"), (7, "10 ms")):
        x, y = at(1e3, 10**power)
        out.append(f'<line x1="{x:.0f}" y1="{y:.0f}" x2="{LEFT + WIDTH}" y2="{y:.0f}" '
                   f'stroke="#ddd"/><text x="{x - 8:.0f}" y="{y + 4:.0f}" '
                   f'text-anchor="end">{label}</text>')
    for slope in (0.3, 3):
        (x1, y1), (x2, y2) = at(1e3, slope * 1e3), at(1e7, slope * 1e7)
        out.append(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="#999" '
                   f'stroke-dasharray="4 4"/><text x="{x2 + 6:.0f}" y="{y2 + 4:.0f}" '
                   f'fill="#666">{slope} ns each</text>')
    for index, (name, costs) in enumerate(found.items()):
        points = [at(n, n * cost) for n, cost in zip(lengths, costs, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{COLORS[name]}" '
                   f'stroke-width="2"/><text x="{LEFT + 12}" y="{TOP + 18 + 16 * index}" '
                   f'fill="{COLORS[name]}">{name}, p = 2, k = n/100</text>')
    out.append(f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 40}" text-anchor="middle">'
               "numbers of a row</text></svg>")
    print("\n".join(out))


main()
