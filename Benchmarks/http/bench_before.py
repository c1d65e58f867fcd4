#!/usr/bin/env python3
"""Two builds of topkd side by side: what a change costs, or gains.

    bench_before.py BEFORE AFTER [--rounds 9] [--seconds 1.5] [--lines 4KB-1,64MB-1]

Build both as script/server does, with --static-swift-stdlib: SwiftPM writes the other kind to the
same path. Both are started once, with no flags but a free port. For each line, rounds alternate between them,
and in turn who goes first; a ratio is the median of the rounds' ratios, after / before, of
requests/s and of p50. See README.md.
"""

import argparse
import contextlib
import statistics
import subprocess
import tempfile
from pathlib import Path

import bare_servers as bare

SHAPES = {"4KB": (1, 1000, 10), "256KB": (64, 1000, 10), "4MB": (256, 4096, 64),
          "64MB": (1, 1 << 24, 10)}  # rows, n, k
LINES = ["4KB-1", "4KB-8", "4KB-64", "256KB-4", "4MB-1", "4MB-2", "64MB-1"]


def measure(load, port, connections, seconds, request):
    """(requests/s, p50 and p99 in microseconds) of a closed loop."""
    command = [load, str(port), str(connections), "0", str(seconds), request]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    requests, elapsed, p50, p99 = (float(word) for word in words[1:5])
    return requests / elapsed, p50, p99


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--lines", default=",".join(LINES))
    args = parser.parse_args()
    with contextlib.ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        programs = bare.compile_programs(folder)
        servers = {}
        for name, binary in (("before", args.before), ("after", args.after)):
            command = [str(binary.resolve()), "serve", "--host", "127.0.0.1", "--port", "0"]
            servers[name] = bare.start(command, name, folder, cleanup)
        print(f"{'line':9} {'before/s':>9} {'after/s':>9} {'ratio':>6}  {'spread':13}"
              f" {'p50 us':>15} {'ratio':>6} {'p99 us':>15}")
        for line in args.lines.split(","):
            shape, connections = line.split("-")
            path, body = bare.request_of(*SHAPES[shape])
            request = Path(folder, f"{line}.request")
            request.write_bytes(bare.whole_request(path, body))
            results = {name: [] for name in servers}
            for number in range(-1, args.rounds):
                for name in list(servers) if number % 2 else list(servers)[::-1]:
                    port = servers[name].rsplit(":", 1)[-1].strip("/")
                    found = measure(programs["load"], port, connections, args.seconds, request)
                    if number >= 0:
                        results[name].append(found)
            report(line, results)


def report(line, results):
    """One line of the table."""
    before, after = results["before"], results["after"]
    rates = [b[0] / a[0] for a, b in zip(before, after, strict=True)]
    halves = [b[1] / a[1] for a, b in zip(before, after, strict=True)]

    def middle(rows, index):
        return statistics.median(row[index] for row in rows)

    print(f"{line:9} {middle(before, 0):9.0f} {middle(after, 0):9.0f}"
          f" {statistics.median(rates):6.3f}  {min(rates):.2f} - {max(rates):.2f}"
          f" {middle(before, 1):7.0f} {middle(after, 1):7.0f} {statistics.median(halves):6.3f}"
          f" {middle(before, 2):7.0f} {middle(after, 2):7.0f}", flush=True)


if __name__ == "__main__":
    main()
