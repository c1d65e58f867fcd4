#!/usr/bin/env python3
"""One client beside another one's 64 connections of large work, with two builds of topkd.

    bench_turns.py BEFORE AFTER [--seconds 8] [--rounds 3]

load.c sends 2 MB requests (128 x 4096, pav) from 127.0.0.1 on 64 connections, as fast as answers
come; a client at 127.0.0.2 sends the same on one. Prints that client's p50 and p99, alone and
beside them (medians of the rounds), and the crowd's own.
"""

import argparse
import contextlib
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import bare_servers as bare

CONNECTIONS = 64
SETTLE_SECONDS = 1.5


def ask(client, request):
    """Sends one request, and reads its whole answer."""
    client.sendall(request)
    head, answer = b"", b""
    while not head:
        answer += client.recv(1 << 20)
        head, _, rest = answer.partition(b"\r\n\r\n") if b"\r\n\r\n" in answer else (b"", b"", b"")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(head.decode())
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lengths[0].split(b":")[1]) - len(rest)
    while left > 0:
        left -= len(client.recv(1 << 20))


def lone(port, seconds, request):
    """p50 and p99, in milliseconds, of one client at 127.0.0.2."""
    found = []
    with socket.socket() as client:
        client.bind(("127.0.0.2", 0))
        client.connect(("127.0.0.1", port))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.monotonic()
            ask(client, request)
            found.append(1000 * (time.monotonic() - start))
    found.sort()
    return found[len(found) // 2], found[len(found) * 99 // 100]


def measure(load, port, seconds, path, request):
    """Lone client alone, beside the crowd, and the crowd: p50 and p99 each, in milliseconds."""
    alone = lone(port, seconds / 2, request)
    command = [load, str(port), str(CONNECTIONS), "0", str(seconds + 2 * SETTLE_SECONDS), path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as crowd:
        time.sleep(SETTLE_SECONDS)
        beside = lone(port, seconds, request)
        words = crowd.communicate()[0].split()
    return *alone, *beside, float(words[3]) / 1000, float(words[4]) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with contextlib.ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        load = bare.compile_programs(folder)["load"]
        path, body = bare.request_of(128, 4096, 64)
        request = bare.whole_request(path + "&solver=pav", body)
        file = Path(folder, "request")
        file.write_bytes(request)
        print(f"{'p50, p99 in ms':16} {'alone':>16} {'beside the crowd':>18} {'the crowd':>16}")
        for name, binary in (("before", args.before), ("after", args.after)):
            command = [str(binary.resolve()), "serve", "--host", "127.0.0.1", "--port", "0"]
            url = bare.start(command, name, folder, cleanup)
            port = int(url.rsplit(":", 1)[-1].strip("/"))
            rows = [measure(load, port, args.seconds, file, request) for _ in range(args.rounds)]
            row = [statistics.median(column) for column in zip(*rows, strict=True)]
            print(f"{name:16} {row[0]:8.1f}{row[1]:8.1f} {row[2]:10.1f}{row[3]:8.1f}"
                  f" {row[4]:8.1f}{row[5]:8.1f}", flush=True)


if __name__ == "__main__":
    main()
