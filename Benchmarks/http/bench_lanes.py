#!/usr/bin/env python3
"""Quick requests beside long searches, and how soon searches end.

    bench_lanes.py TOPKD [--rounds 7] [--core 0] [--workers 1]

Without and with long searches (dykstra, a minute each) rounds alternate: p50 and p99 of quick
requests in an open loop, at the same rate. Then, how long a search lives after its deadline, after
its client's FIN and after its reset, running and waiting. With --core topkd has that core alone, and
this program the others. See README.md.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import bare_servers as bare

SEARCH_COUNT = 3
RATES = (("4KB", 1, 400), ("4KB", 8, 2000), ("300KB", 2, 200))  # shape, connections, requests/s
SHAPES = {"4KB": (1, 1000, 10), "300KB": (75, 1000, 10)}


def search_request(timeout_milliseconds):
    """A POST whose search takes a minute."""
    body = json.dumps({
        "x": [(i * 7919) % 100003 for i in range(100_000)], "k": 50_000, "lambda": 100_000, "p": 2,
        "solver": "dykstra", "tolerance": 0, "max_iterations": 100_000}).encode()
    head = ("POST /topk HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
            f"Topk-Timeout-Ms: {timeout_milliseconds}\r\nContent-Length: {len(body)}\r\n\r\n")
    return head.encode() + body


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def gauge(port, name):
    """A number of /metrics."""
    with connect(port) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        page = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    return float(next(line.split()[1] for line in page.splitlines() if line.startswith(name + " ")))


def until(port, count):
    """Seconds until so many requests are in flight."""
    start = time.monotonic()
    while gauge(port, "topkd_inflight_requests") != count and time.monotonic() - start < 20:
        time.sleep(0.001)
    return time.monotonic() - start


@contextlib.contextmanager
def searches(port, count):
    """So many searches, which end with the block."""
    clients = [connect(port) for _ in range(count)]
    for client in clients:
        client.sendall(search_request(600_000))
    until(port, count)
    yield
    for client in clients:
        client.close()
    until(port, 0)


def latencies(args, port, programs, folder):
    """p50 and p99 of quick requests, without and with searches."""
    print(f"{'quick requests':24} {'alone: p50, p99':>20} {'beside searches':>20} {'p99 ratio':>10}")
    for shape, connections, rate in RATES:
        path, body = bare.request_of(*SHAPES[shape])
        request = Path(folder, "quick.request")
        request.write_bytes(bare.whole_request(path, body))
        rows = {0: [], SEARCH_COUNT: []}
        for number in range(-1, args.rounds):
            for count in (0, SEARCH_COUNT) if number % 2 else (SEARCH_COUNT, 0):
                with searches(port, count):
                    seconds = max(3.0, 20 / rate)
                    command = [programs["load"], str(port), str(connections), str(rate),
                               str(seconds), request]
                    words = subprocess.run(
                        command, check=True, capture_output=True, text=True).stdout.split()
                if number >= 0:
                    rows[count].append((float(words[3]), float(words[4])))
        alone, beside = ([statistics.median(row[i] for row in rows[count]) for i in (0, 1)]
                         for count in (0, SEARCH_COUNT))
        ratio = statistics.median(
            b[1] / a[1] for a, b in zip(rows[0], rows[SEARCH_COUNT], strict=True))
        print(f"{shape}, {connections} at {rate}/s".ljust(24),
              f"{alone[0]:9.0f} {alone[1]:9.0f}  {beside[0]:9.0f} {beside[1]:9.0f} {ratio:10.2f}",
              flush=True)


def endings(args, port):
    """Milliseconds that a search lives longer than it should."""
    print(f"{'a search ends after':24} {'running, ms':>20} {'waiting, ms':>20}")
    for what in ("its deadline", "FIN", "reset"):
        found = {0: [], 1: []}
        for _ in range(args.rounds):
            for waits in (0, 1):
                with contextlib.ExitStack() as stack:
                    if waits:
                        stack.enter_context(searches(port, args.workers))
                    found[waits].append(1000 * ending(port, what, waits * args.workers))
        print(f"{what:24} {statistics.median(found[0]):9.0f} max {max(found[0]):6.0f}"
              f" {statistics.median(found[1]):9.0f} max {max(found[1]):6.0f}", flush=True)


def ending(port, what, others):
    """Seconds from when a search should end until it has."""
    client = connect(port)
    start = time.monotonic()
    client.sendall(search_request(700 if what == "its deadline" else 600_000))
    until(port, others + 1)
    time.sleep(0.2)
    if what == "its deadline":
        client.recv(65536)
        return time.monotonic() - start - 0.7
    if what == "FIN":
        client.shutdown(socket.SHUT_WR)
    else:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    return until(port, others)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("topkd", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--core", type=int)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    with contextlib.ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        programs = bare.compile_programs(folder)
        command = [str(args.topkd.resolve()), "serve", "--port", "0", "--workers",
                   str(args.workers), "--request-timeout-seconds", "3600"]
        if args.core is not None:
            command = ["taskset", "-c", str(args.core), *command]
        address = bare.start(command, "topkd", folder, cleanup)
        if args.core is not None:
            os.sched_setaffinity(0, os.sched_getaffinity(0) - {args.core})
        port = int(address.rsplit(":", 1)[-1].strip("/"))
        latencies(args, port, programs, folder)
        endings(args, port)


if __name__ == "__main__":
    main()
