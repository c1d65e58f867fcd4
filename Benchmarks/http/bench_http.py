#!/usr/bin/env python3
"""topkd against its FastAPI peer, both over loopback HTTP, driven in turn by wrk.

Starts both servers on free ports, checks that they answer alike, then times POST /topk with raw
float32 N(0,1) batches over keep-alive connections. Rounds alternate between the servers, and the
ratio is the median over rounds of requests/s in the same round, so that a machine that slows
down half-way slows both. wrk is a closed loop: each connection waits for its answer before it
asks again. See README.md.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from servers import ask, compare, start

HERE = Path(__file__).resolve().parent
SHAPES = {"1x1000": 10, "64x1000": 10, "256x4096": 64}  # rows x n: k
LAMBDA = 0.1
BATCHES_CHECKED = 3
WRK_SECONDS_EXTRA = 30  # what a run may take longer than asked
WARM_UP_SECONDS = 1
SINGLE_SECONDS = 1

# wrk formats the request once; done() prints counts and microseconds on one line for us.
WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
local file = assert(io.open(%s, "rb"))
wrk.body = file:read("*a")
file:close()
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %%d %%d %%g %%g %%d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def drive(script, url, connections, seconds):
    """One wrk run: requests/s, p50 and p99 in ms. An error or a status >= 400 ends it all."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url]
    limit = seconds + WRK_SECONDS_EXTRA
    run = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    found = re.search(r"^RESULT (.+)$", run.stdout, re.MULTILINE)
    fields = [float(field) for field in found.group(1).split()] if found else [0, 0, 0, 0, 1]
    requests, microseconds, p50, p99, errors = fields
    if errors or not requests:
        sys.exit(f"{url}: {errors:.0f} errors\n{run.stdout}{run.stderr}")
    rps = requests / microseconds * 1e6
    return {"rps": rps, "p50_ms": p50 / 1e3, "p99_ms": p99 / 1e3, "requests": requests}


def measure(name, servers, args, folder):
    """Check, warm up and time one shape on both servers; medians over rounds, and every round."""
    (rows, n), k = map(int, name.split("x")), SHAPES[name]
    path = f"/topk?operator=mask&n={n}&k={k}&lambda={LAMBDA}&p={args.p}&dtype=float32&format=csr"
    p = 2.0 if args.p == "2" else 4.0 / 3.0
    generator, difference = np.random.default_rng(1), 0.0
    for _ in range(BATCHES_CHECKED):
        body = generator.standard_normal((rows, n), dtype=np.float32).astype("<f4").tobytes()
        ours, theirs = (ask(address, path, body) for address in servers.values())
        difference = max(difference, compare(ours, theirs, n, p))
    body_file, script = Path(folder, f"{name}.bin"), Path(folder, f"{name}.lua")
    body_file.write_bytes(body)
    script.write_text(WRK_SCRIPT % json.dumps(str(body_file)))
    rounds = {server: [] for server in servers}
    for number in range(-1, args.rounds):  # round -1 warms up and is not kept
        order = list(servers) if number % 2 else list(servers)[::-1]
        for server in order:
            url = servers[server] + path
            seconds = args.seconds if number >= 0 else WARM_UP_SECONDS
            result = drive(script, url, args.connections, seconds)
            if number >= 0:
                result["single_p50_ms"] = drive(script, url, 1, SINGLE_SECONDS)["p50_ms"]
                rounds[server].append(result)
    medians = {
        server: {key: statistics.median(r[key] for r in results) for key in results[0]}
        for server, results in rounds.items()
    }
    ratios = [a["rps"] / b["rps"] for a, b in zip(*rounds.values(), strict=True)]
    return {
        "shape": name, "k": k, "lambda": LAMBDA, "p": args.p, "body_bytes": len(body),
        "difference_max": difference, "ratio": statistics.median(ratios), "ratios": ratios,
        "medians": medians, "rounds": rounds,
    }


def environment(args):
    """What the numbers depend on: machine, versions and settings."""
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        named = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        cpu = named.group(1) if named else cpu
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return {
        "cpu": cpu, "cores": len(os.sched_getaffinity(0)), "system": platform.platform(),
        "python": platform.python_version(), "numpy": np.__version__,
        "wrk": " ".join(wrk.split()[:2]), "connections": args.connections,
        "rounds": args.rounds, "seconds": args.seconds, "peer_workers": args.peer_workers,
        "peer_kernel": args.peer_kernel,
    }


def report(results, where):
    """Print the table and how it was measured."""
    print(f"{'':10} {'requests/s, median':>19} {'ratio':>7} {'(min - max)':>15}"
          f" {'p50 ms':>15} {'p99 ms':>15} {'1 conn. p50 ms':>15}")
    print(f"{'shape':10} {'topkd':>9} {'peer':>9} {'':>23}" + f" {'topkd':>7} {'peer':>7}" * 3)
    for result in results:
        ours, theirs = result["medians"].values()
        low, high = min(result["ratios"]), max(result["ratios"])
        line = f"{result['shape']:10} {ours['rps']:9.0f} {theirs['rps']:9.0f}"
        line += f" {result['ratio']:6.2f}x {f'({low:.2f} - {high:.2f})':>15}"
        for key in ("p50_ms", "p99_ms", "single_p50_ms"):
            line += f" {ours[key]:7.2f} {theirs[key]:7.2f}"
        print(line)
    worst = max(result["difference_max"] for result in results)
    print(
        f"\nmask, p = {results[0]['p']}, lambda = {LAMBDA}, float32 bytes in, CSR bytes out; "
        f"the largest difference between their answers is {worst:.1g}.\n"
        f"{where['cores']} cores ({where['cpu']}) shared by wrk and the servers. {where['wrk']}, "
        f"1 thread,\n{where['connections']} keep-alive connections, {where['rounds']} rounds of "
        f"{where['seconds']} s each, servers in turn; ratio = median of per-round ratios.\n"
        f"Peer: FastAPI + uvicorn + NumPy {where['numpy']} ({where['peer_kernel']} kernel), "
        f"{where['peer_workers']} process(es), "
        f"Python {where['python']}."
    )


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="topkd against FastAPI + NumPy, over HTTP")
    add = parser.add_argument
    add("--topkd", type=Path, default=HERE / "../../.build/release/topkd", help="the binary")
    add("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    add("--p", choices=("2", "4/3"), default="2")
    add("--connections", type=int, default=8)
    add("--rounds", type=int, default=5)
    add("--seconds", type=int, default=3, help="of each round, for each server")
    add("--peer-workers", type=int, default=1, help="the peer's processes")
    add("--peer-kernel", choices=("plain", "tuned"), default="plain")
    add("--json", type=Path, metavar="FILE", help="write every round here")
    args = parser.parse_args()
    if min(args.connections, args.rounds, args.seconds, args.peer_workers) < 1:
        parser.error("counts start at 1")
    if not shutil.which("wrk"):
        parser.error("wrk is not installed (apt install wrk)")
    if not os.access(args.topkd, os.X_OK):
        parser.error(f"no binary at {args.topkd} (swift build -c release)")
    return args


def main():
    """Start, check, measure, report; the servers end with this process, however it ends."""
    args = arguments()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda number, _: sys.exit(128 + number))
    free_port = ["--host", "127.0.0.1", "--port", "0"]
    ours = [str(args.topkd.resolve()), "serve", *free_port]
    theirs = [sys.executable, str(HERE / "peer_fastapi.py"), *free_port]
    theirs += ["--workers", str(args.peer_workers), "--kernel", args.peer_kernel]
    with contextlib.ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        servers = {
            "topkd": start(ours, "topkd", folder, cleanup),
            "peer": start(theirs, "peer", folder, cleanup),
        }
        results = []
        for name in args.shapes:
            print(f"{name} ...", file=sys.stderr, flush=True)
            results.append(measure(name, servers, args, folder))
    where = environment(args)
    report(results, where)
    if args.json:
        args.json.write_text(json.dumps({"environment": where, "results": results}, indent=2))


if __name__ == "__main__":
    main()
