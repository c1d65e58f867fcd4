#!/usr/bin/env python3
"""topkd against libmicrohttpd with nothing behind it: what the service costs beside the transport.

Starts topkd and, for each request, a bare server (bare.c) that reads the same body and sends the
same answer from memory. Rounds alternate between them; a ratio is that of the rounds' medians.
Each figure stands beside its goal. See README.md.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import bare_servers as bare
from bench_http import WRK_SCRIPT, drive

SMALL, BATCH, HUGE = (1, 1000, 10), (256, 4096, 64), (1, 1 << 24, 10)  # rows, n, k
START_RUNS = 5
SEND_BUFFER_BYTES = 4 << 20


def verdict(is_met):
    """For the last column."""
    return "met" if is_met else "missed"


def alternate(servers, rounds, run):
    """{server: [run(address), ...]}: in turn, and in turn who goes first; round -1 warms up."""
    results = {name: [] for name in servers}
    for number in range(-1, rounds):
        for name in list(servers) if number % 2 else list(servers)[::-1]:
            result = run(servers[name])
            if number >= 0:
                results[name].append(result)
    return results


def spread(results, key):
    """Smallest and largest ratio of a round."""
    ours, theirs = results.values()
    ratios = [a[key] / b[key] for a, b in zip(ours, theirs, strict=True)]
    return f"{min(ratios):.2f} - {max(ratios):.2f}"


class Bench:
    """What all measurements share."""

    def __init__(self, args, folder, cleanup):
        self.args, self.folder, self.cleanup = args, folder, cleanup
        self.programs = bare.compile_programs(folder)
        binary = str(args.topkd.resolve())
        self.socket = str(Path(folder, "topkd.sock"))
        command = [binary, "serve", "--host", "127.0.0.1", "--port", "0", "--unix", self.socket]
        self.topkd = bare.start(command, "topkd", folder, cleanup)
        self.record = {}

    def servers(self, name, shape):
        """topkd and a bare server for one request, its path and files for wrk and load.c."""
        path, body = bare.request_of(*shape)
        request = bare.whole_request(path, body)
        common = (self.programs, self.topkd, name, request, self.folder, self.cleanup)
        servers = {"topkd": self.topkd, "bare": bare.start_bare(*common)}
        body_file, script = Path(self.folder, f"{name}.bin"), Path(self.folder, f"{name}.lua")
        request_file = Path(self.folder, f"{name}.request")
        body_file.write_bytes(body)
        request_file.write_bytes(request)
        script.write_text(WRK_SCRIPT % json.dumps(str(body_file)))
        return servers, path, script, request_file

    def recvloop(self, name, request):
        """A recv loop for one request: its address and its Unix socket's path."""
        common = (request, self.folder, self.cleanup)
        return bare.start_recvloop(self.programs, self.topkd, name, *common)

    def wrk(self, title, name, shape, connections, goal):
        """Rows of requests/s and, at one connection, of p50."""
        servers, path, script, _ = self.servers(f"{name}-{connections}", shape)

        def run(address):
            before = bare.cpu_seconds(address)
            result = drive(script, address + path, connections, self.args.seconds)
            used = bare.cpu_seconds(address) - before
            return result | {"cpu_us": used / result["requests"] * 1e6}

        results = alternate(servers, self.args.rounds, run)
        self.record[title] = results
        ours, theirs = (bare.median_of(rounds, "rps") for rounds in results.values())
        ratio = ours / theirs
        print(
            f"| {title}, requests/s | {ours:,.0f} | {theirs:,.0f} | {ratio:.2f} "
            f"({spread(results, 'rps')}) | >= {goal:.2f} | {verdict(ratio >= goal)} |"
        )
        ours, theirs = (bare.median_of(rounds, "cpu_us") for rounds in results.values())
        print(
            f"| {title}, CPU µs a request | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f} "
            f"({spread(results, 'cpu_us')}) | | |"
        )
        if connections == 1:
            ours, theirs = (bare.median_of(rounds, "p50_ms") * 1e3 for rounds in results.values())
            print(
                f"| {title}, p50 µs | {ours:.0f} | {theirs:.0f} | {ours - theirs:+.0f} µs "
                f"| <= +60 µs | {verdict(ours - theirs <= 60)} |"
            )
        sys.stdout.flush()

    def huge(self):
        """GB/s of a 64 MB body over one connection; the bare server is there for comparison."""
        servers, _, _, request_file = self.servers("huge", HUGE)
        servers["recv loop"], _ = self.recvloop("huge", request_file.read_bytes())
        seconds = 2 * self.args.seconds
        results = alternate(
            servers,
            self.args.rounds,
            lambda address: bare.load(self.programs, address, 1, 0, seconds, request_file),
        )
        self.record["64 MB"] = results
        size = 4 * HUGE[0] * HUGE[1] / 1e9
        speed = {name: bare.median_of(rounds, "rps") * size for name, rounds in results.items()}
        print("\n| 64 MB body, 1 connection | GB/s | of the recv loop | goal | |")
        print("|---|---|---|---|---|")
        for name, value in speed.items():
            ratio = value / speed["recv loop"]
            end = f">= 0.75 | {verdict(ratio >= 0.75)}" if name == "topkd" else "| "
            print(f"| {name} | {value:.2f} | {ratio:.2f} | {end} |")
        sys.stdout.flush()

    def tail(self):
        """p99 of open loops: both at half of topkd's largest rate, and each at half of its own."""
        servers, _, _, request_file = self.servers("tail", SMALL)

        def run(address, rate, seconds):
            return bare.load(self.programs, address, 64, rate, seconds, request_file)

        seconds = self.args.seconds
        most = alternate(servers, 3, lambda address: run(address, 0, seconds))
        own, theirs = (bare.median_of(rounds, "rps") / 2 for rounds in most.values())
        places = {
            "topkd": (servers["topkd"], own),
            "bare": (servers["bare"], own),
            "bare at its own": (servers["bare"], theirs),
        }
        results = alternate(
            places, self.args.rounds, lambda place: run(*place, 2 * seconds)
        )
        self.record["open loop"] = {"most": most, "rates": [own, theirs], "results": results}
        print("\n| open loop, 64 connections | topkd | bare | ratio | goal | |")
        print("|---|---|---|---|---|---|")
        titles = {
            "bare": f"both at {own:,.0f}/s, half of topkd's largest rate",
            "bare at its own": f"each at half of its own, bare at {theirs:,.0f}/s",
        }
        for peer, title in titles.items():
            pair = {name: results[name] for name in ("topkd", peer)}
            for key in ("p50_us", "p99_us"):
                ours, other = (bare.median_of(rounds, key) for rounds in pair.values())
                is_met = verdict(ours <= 1.5 * other)
                end = f"<= 1.5 | {is_met}" if key == "p99_us" else "| "
                ratio = f"{ours / other:.2f} ({spread(pair, key)})"
                print(f"| {title}, {key[:3]} µs | {ours:.0f} | {other:.0f} | {ratio} | {end} |")
        sys.stdout.flush()

    def starts(self):
        """Start-up until the first answer, and memory when idle."""
        request = bare.whole_request(*bare.request_of(*SMALL))
        binary = self.args.topkd.resolve()
        runs = [bare.start_once(binary, request) for _ in range(START_RUNS)]
        self.record["starts"] = runs
        milliseconds, megabytes = (statistics.median(column) for column in zip(*runs, strict=True))
        print("\n| start | topkd | goal | |\n|---|---|---|---|")
        end = verdict(milliseconds < 50)
        print(f"| first answer after ms | {milliseconds:.1f} | < 50 | {end} |")
        print(f"| RSS then, MB | {megabytes:.1f} | < 25 | {verdict(megabytes < 25)} |")

    def sockets(self):
        """Unix socket beside TCP, one connection: of topkd, and of a recv loop for large bodies."""
        print("\n| one connection | Unix socket | TCP | ratio (of rounds) | goal | |")
        print("|---|---|---|---|---|---|")
        for title, shape in (("4 KB", SMALL), ("4 MB", BATCH), ("64 MB", HUGE)):
            path, body = bare.request_of(*shape)
            request = bare.whole_request(path, body)
            request_file = Path(self.folder, "sockets.request")
            request_file.write_bytes(request)
            ours = (self.topkd, self.socket)
            self.socket_line(f"{title}, requests/s", ours, request_file, 0)
            if shape == SMALL:
                continue
            loop = self.recvloop(f"sockets-{shape[0]}", request)
            buffer = f"{title}, SO_SNDBUF of 4 MB"
            self.socket_line(buffer, ours, request_file, SEND_BUFFER_BYTES)
            self.socket_line(f"{title}, recv loop", loop, request_file, 0, True)
            self.socket_line(f"{buffer}, recv loop", loop, request_file, SEND_BUFFER_BYTES, True)

    def socket_line(self, title, server, request_file, send_buffer, is_peer=False):
        """One request over both; the buffer is the Unix socket's, TCP's grows by itself."""
        ways = {"Unix": (server[1], send_buffer), "TCP": (server[0], 0)}
        seconds = 2 * self.args.seconds
        results = alternate(
            ways,
            self.args.rounds,
            lambda way: bare.load(self.programs, way[0], 1, 0, seconds, request_file, way[1]),
        )
        self.record[f"sockets, {title}"] = results
        ours, theirs = (bare.median_of(rounds, "rps") for rounds in results.values())
        end = "| " if is_peer else f"> 1 | {verdict(ours > theirs)}"
        print(
            f"| {title} | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f} "
            f"({spread(results, 'rps')}) | {end} |",
            flush=True,
        )

    def run(self):
        """Everything that was asked for, in order."""
        only = self.args.only
        if "a" in only or "b" in only:
            print("| request | topkd | bare | ratio (of rounds) | goal | |")
            print("|---|---|---|---|---|---|")
        if "a" in only:
            for connections in (1, 8, 64):
                title = f"1x1000 (4 KB), {connections} connection{'s' * (connections > 1)}"
                self.wrk(title, "small", SMALL, connections, 0.55)
        if "b" in only:
            self.wrk("256x4096 (4 MB), 8 connections", "batch", BATCH, 8, 0.65)
        tables = {"c": self.huge, "d": self.tail, "e": self.starts, "f": self.sockets}
        for letter, measure in tables.items():
            if letter in only:
                measure()


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="topkd against bare libmicrohttpd")
    add = parser.add_argument
    add("--topkd", type=Path, default=bare.HERE / "../../.build/release/topkd", help="the binary")
    add("--only", nargs="+", choices="abcdef", default="abcdef", help="these tables")
    add("--rounds", type=int, default=7)
    add("--seconds", type=int, default=1, help="of each round, for each server")
    add("--json", type=Path, metavar="FILE", help="write every round here")
    args = parser.parse_args()
    if min(args.rounds, args.seconds) < 1:
        parser.error("counts start at 1")
    if not shutil.which("wrk"):
        parser.error("wrk is not installed (apt install wrk)")
    if not os.access(args.topkd, os.X_OK):
        parser.error(f"no binary at {args.topkd} (swift build -c release)")
    return args


def main():
    """Start, measure, report; the servers end with this process, however it ends."""
    args = arguments()
    bare.exit_on_signals()
    with contextlib.ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        bench = Bench(args, folder, cleanup)
        bench.run()
    print(
        f"\nmask, p = 2, lambda = 0.1, float32 bytes in, CSR bytes out. {bare.cores()} cores are "
        f"shared by client and servers; medians of {args.rounds} alternating rounds of "
        f"{args.seconds} s (64 MB and open loop: twice that)."
    )
    if args.json:
        args.json.write_text(json.dumps(bench.record, indent=2))


if __name__ == "__main__":
    main()
