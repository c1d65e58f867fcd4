#!/usr/bin/env python3
"""Draws lambda.svg: how many entries share weight, by lambda in units of the spread of x.

Every point is the mean over 20 rows of N(0, 1), n = 1000, k = 10, answered by a running service
(script/server); the dashed line is the rule of docs/MATH.md. Standard library only.
Usage: docs/pictures/lambda.py [URL] > docs/pictures/lambda.svg
"""

import json
import math
import random
import statistics
import sys
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
N, K, ROWS = 1000, 10, 20
LAMBDAS = [10 ** (-2 + 3 * i / 30) for i in range(31)]
ACTIVE = (0.1, 1000.0)
LEFT, TOP, WIDTH, HEIGHT = 60, 30, 560, 240
CURVES = [(2, "#1f77b4"), ("4/3", "#d62728"), (1.5, "#2ca02c")]


def sharing(p):
    """The mean number of entries with a weight between 0 and 1, for each lambda."""
    rng = random.Random(1)
    rows = [[rng.gauss(0, 1) for _ in range(N)] for _ in range(ROWS)]
    means = []
    for lam in LAMBDAS:
        body = {"x": rows, "k": K, "lambda": lam, "p": p, "dtype": "float64"}
        request = urllib.request.Request(
            URL + "/topk", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as reply:
            data = json.load(reply)["data"]
        means.append(sum(0 < weight < 1 for weight in data) / ROWS)
    return means


def rule():
    """n phi(z) lambda / sigma, z the (1 - k/n)-quantile of N(0, 1)."""
    normal = statistics.NormalDist()
    density = normal.pdf(normal.inv_cdf(1 - K / N))
    return [N * density * lam for lam in LAMBDAS]


def place(lam, active):
    """SVG coordinates of a point, both axes logarithmic."""
    right = math.log10(lam / LAMBDAS[0]) / math.log10(LAMBDAS[-1] / LAMBDAS[0])
    up = math.log10(max(active, ACTIVE[0]) / ACTIVE[0]) / math.log10(ACTIVE[1] / ACTIVE[0])
    return LEFT + WIDTH * right, TOP + HEIGHT * (1 - up)


def line(values, style):
    """One curve."""
    places = [place(*point) for point in zip(LAMBDAS, values, strict=True)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{points}" fill="none" {style}/>'


def text(x, y, words, anchor="middle"):
    """One label."""
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'


def main():
    """Axes, curves, legend."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 330" width="660" height="330"'
        ' font-family="sans-serif" font-size="13">',
        '<rect width="660" height="330" fill="white"/>',
        f'<path d="M{LEFT} {TOP}V{TOP + HEIGHT}H{LEFT + WIDTH}" fill="none" stroke="black"/>',
    ]
    for lam in (0.01, 0.1, 1, 10):
        parts.append(text(place(lam, 1)[0], TOP + HEIGHT + 18, f"{lam:g}"))
    for active in (0.1, 1, 10, 100, 1000):
        parts.append(text(LEFT - 8, place(1, active)[1] + 4, f"{active:g}", "end"))
    title = f"entries that share weight, by lambda / sigma (mask, n = {N}, k = {K})"
    parts.append(text(LEFT + WIDTH / 2, TOP + HEIGHT + 42, title))
    legend = [
        (f"p = {p}", f'stroke="{color}" stroke-width="2.5"', sharing(p)) for p, color in CURVES
    ]
    legend.append(("n phi(z) lambda / sigma", 'stroke="#555555" stroke-dasharray="5 4"', rule()))
    for index, (name, style, values) in enumerate(legend):
        parts.append(line(values, style))
        y = TOP + 14 + 20 * index
        parts.append(f'<path d="M90 {y}H130" fill="none" {style}/>')
        parts.append(text(138, y + 4, name, "start"))
    print("\n".join([*parts, "</svg>"]))


main()
