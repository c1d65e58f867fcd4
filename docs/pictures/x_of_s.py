#!/usr/bin/env python3
"""Draws x_of_s.svg: the mask's second weight for x(s) = (3, 1, -1+s, s), k = 2, as s passes 1.

Every point is an answer of a running service (script/server); standard library only.
Usage: docs/pictures/x_of_s.py [URL] > docs/pictures/x_of_s.svg
"""

import json
import sys
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
LOW, HIGH, STEPS = 0.0, 2.0, 400
LEFT, TOP, WIDTH, HEIGHT = 60, 30, 560, 200
CURVES = [
    ("hard (lambda = 0)", 0.0, 2, "#999999", "5 4"),
    ("lambda = 0.5, p = 2", 0.5, 2, "#1f77b4", ""),
    ("lambda = 0.5, p = 4/3", 0.5, "4/3", "#d62728", ""),
]


def weights(lam, p):
    """y_2 for each s: one request with a row for each s."""
    grid = [LOW + (HIGH - LOW) * i / STEPS for i in range(STEPS + 1)]
    rows = [[3.0, 1.0, s - 1.0, s] for s in grid]
    body = {"x": rows, "k": 2, "lambda": lam, "p": p, "format": "dense", "dtype": "float64"}
    request = urllib.request.Request(
        URL + "/topk", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        return [(s, row[1]) for s, row in zip(grid, json.load(reply)["data"], strict=True)]


def place(s, y):
    """SVG coordinates of a point."""
    return LEFT + WIDTH * (s - LOW) / (HIGH - LOW), TOP + HEIGHT * (1 - y)


def text(x, y, words, anchor="middle"):
    """One label."""
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'


def main():
    """Axes, curves, legend."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 290" width="660" height="290"'
        ' font-family="sans-serif" font-size="13">',
        '<rect width="660" height="290" fill="white"/>',
        f'<path d="M{LEFT} {TOP}V{TOP + HEIGHT}H{LEFT + WIDTH}" fill="none" stroke="black"/>',
    ]
    for s in (0, 0.5, 1, 1.5, 2):
        parts.append(text(place(s, 0)[0], TOP + HEIGHT + 18, f"s = {s:g}"))
    for y in (0, 0.5, 1):
        parts.append(text(LEFT - 8, place(0, y)[1] + 4, f"{y:g}", "end"))
    title = "weight of the entry 1 in mask(x(s)), x(s) = (3, 1, -1+s, s), k = 2"
    parts.append(text(LEFT + WIDTH / 2, TOP + HEIGHT + 42, title))
    for index, (name, lam, p, color, dash) in enumerate(CURVES):
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in weights(lam, p)))
        style = f'fill="none" stroke="{color}" stroke-width="2.5" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{line}" {style}/>')
        y = TOP + 20 + 22 * index
        parts.append(f'<path d="M400 {y}H440" {style}/>' + text(448, y + 4, name, "start"))
    print("\n".join([*parts, "</svg>"]))


main()
