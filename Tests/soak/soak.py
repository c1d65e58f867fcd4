#!/usr/bin/env python3
"""A long mixed load on one topkd: every answer is compared, memory and descriptors are watched.

Client processes ask over keep-alive sockets, are killed at random and start again, while 3,000
connections stay open that were used once. In the end SIGTERM comes under load. See README.md.
"""

import argparse
import contextlib
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../../Benchmarks/http"))

from cases import all_cases, check_with_numpy, learn_all  # noqa: E402
from client import Connection  # noqa: E402
from crowd import DRAIN, FINISH, Crowd  # noqa: E402
from servers import end_with_parent, stop  # noqa: E402

GROWTH_MB_MAX = 16
RATE_MIN = 5000
SAMPLE_SECONDS = 1
SETTLE_SECONDS_MAX = 10
EXIT_SECONDS_MAX = 60
ABANDONED = 200
ABANDONED_SECONDS = 3  # long before any timeout
# Idle connections shall stay: the timeout is not what the long run is about.
TIMEOUT_SECONDS = 86400


class Server:
    """A topkd of our own: its address, memory and descriptors."""

    def __init__(self, binary, timeout, folder, cleanup):
        command = [str(binary), "serve", "--host", "127.0.0.1", "--port", "0"]
        command += ["--connection-timeout-seconds", str(timeout), "--connections-max", "8192"]
        self.log = Path(folder, f"topkd-{timeout}.log")
        with open(self.log, "wb") as sink:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                start_new_session=True, preexec_fn=end_with_parent,
            )
        cleanup.callback(stop, self.process)
        self.proc = Path(f"/proc/{self.process.pid}")
        deadline = time.monotonic() + 10
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", self.log.read_text())):
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit(f"topkd did not start:\n{self.log.read_text()}")
            time.sleep(0.02)
        self.port = int(found.group(1))
        self.descriptors_at_start = self.descriptors()

    def rss_mb(self):
        """Resident memory."""
        status = (self.proc / "status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def descriptors(self):
        """Open file descriptors."""
        return len(os.listdir(self.proc / "fd"))

    def close_wait(self):
        """Connections whose client has gone while the server still holds them."""
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        fields = (line.split()[1:4] for line in lines)
        port = f":{self.port:04X}"
        return sum(here.endswith(port) and state == "08" for here, _, state in fields)

    def settled_descriptors(self, wanted):
        """Their count, once it is as wanted or that takes too long."""
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while self.descriptors() != wanted and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.descriptors()


def open_idle(server, count, case):
    """Connections that are used once and stay."""
    connections = []
    for number in range(count):
        connection = Connection(server.port)
        ident = b"idle-%011d" % number
        connection.send(case.head, ident, case.body)
        if difference := case.difference(connection.receive(), ident):
            sys.exit(difference)
        connections.append(connection)
    return connections


def load(server, crowd, count, args, generator):
    """The crowd until it has `count` answers more; RSS each second, and the seconds it took."""
    wanted, samples = crowd.answered + count, []
    start = time.monotonic()
    next_sample, next_kill = start, start + generator.uniform(*args.kill_seconds)
    crowd.start()
    while crowd.answered < wanted and crowd.check():
        time.sleep(0.05)
        now = time.monotonic()
        if server.process.poll() is not None:
            sys.exit(f"topkd ended with {server.process.returncode}:\n{server.log.read_text()}")
        if now >= next_kill:
            crowd.kill_one(generator)
            next_kill = now + generator.uniform(*args.kill_seconds)
        if now >= next_sample:
            samples.append(server.rss_mb())
            next_sample = now + SAMPLE_SECONDS
    crowd.end(FINISH)
    return samples, time.monotonic() - start


def drain(server, crowd, seconds=1.5):
    """SIGTERM under load: answers and 503s after it, exit status, seconds until the end."""
    crowd.start()
    time.sleep(seconds)
    before = crowd.answered
    crowd.shared.mode.value = DRAIN
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    crowd.join()
    try:
        status = server.process.wait(EXIT_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        status = "none"
    return crowd.answered - before, sum(crowd.shared.refused), status, time.monotonic() - start


def abandon(server, case, report):
    """Half-sent requests of clients that have gone: their descriptors return within seconds."""
    before = server.descriptors_at_start
    for number in range(ABANDONED):
        connection = Connection(server.port)
        connection.send(case.head, b"abandoned", case.body[: number * len(case.body) // ABANDONED])
        connection.close()
    time.sleep(ABANDONED_SECONDS)
    after = server.descriptors() - before
    report.line(f"{ABANDONED} half-sent requests: descriptors more after {ABANDONED_SECONDS} s",
                f"{after}", "0", after == 0)


class Report:
    """Lines of the table; whether all goals were met."""

    def __init__(self):
        self.is_met = True
        print("| measure | value | goal | |\n|---|---|---|---|")

    def line(self, name, value, goal="", is_met=None):
        """One line, at once."""
        self.is_met &= is_met is not False
        word = "" if is_met is None else "met" if is_met else "missed"
        print(f"| {name} | {value} | {goal} | {word} |", flush=True)


def soak(server, args, report):
    """The long run, in order."""
    generator, cases = random.Random(args.seed), all_cases()
    problem, worst = check_with_numpy(server.port)
    if problem := problem or learn_all(cases, server.port):
        sys.exit(problem)
    report.line(f"references: {len(cases)}; difference from NumPy", f"{worst:.1g}", "<= 2e-5", True)
    crowd = Crowd(args.clients, server.port, cases, args.seed)
    load(server, crowd, args.warm_up, args, generator)
    idle = open_idle(server, args.idle, cases[0])
    descriptors, rss = server.descriptors_at_start + len(idle), server.rss_mb()
    report.line(f"RSS after warm-up, {args.idle} connections idle", f"{rss:.1f} MB")
    samples, seconds = load(server, crowd, args.requests, args, generator)
    if crowd.failures:
        print(*crowd.failures, sep="\n")
    answered = crowd.answered
    report.line("answers compared, all the same", f"{answered:,}", "all", not crowd.failures)
    rate = (answered if not args.warm_up else args.requests) / seconds
    report.line("requests/s", f"{rate:,.0f}", f">= {RATE_MIN:,}", rate >= RATE_MIN)
    report.line("clients killed, requests abandoned",
                f"{crowd.kills}, {sum(crowd.shared.abandoned)}")
    time.sleep(SAMPLE_SECONDS)
    peak, end = max(samples) - rss, server.rss_mb() - rss
    goal = f"< {GROWTH_MB_MAX} MB"
    report.line("RSS growth, largest of all seconds", f"{peak:+.1f} MB", goal, peak < GROWTH_MB_MAX)
    report.line("RSS growth at the end", f"{end:+.1f} MB", goal, end < GROWTH_MB_MAX)
    left = server.settled_descriptors(descriptors)
    waiting = server.close_wait()
    report.line("descriptors: at start and idle, after, of these CLOSE-WAIT",
                f"{descriptors:,}, {left:,}, {waiting}", "no more",
                left == descriptors)
    after, refused, status, seconds = drain(server, crowd)
    report.line("SIGTERM under load: answered, 503 draining, not answered",
                f"{after}, {refused}, {len(crowd.failures)}", "0 not answered", not crowd.failures)
    report.line("exit status, after", f"{status}, {seconds:.2f} s", "0", status == 0)
    for connection in idle:
        connection.close()


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="a long mixed load on topkd")
    add = parser.add_argument
    add("--topkd", type=Path, default=HERE / "../../.build/release/topkd", help="the binary")
    add("--requests", type=int, default=1_000_000)
    add("--warm-up", type=int, default=50_000, help="requests before memory is looked at")
    add("--clients", type=int, default=3, help="processes")
    add("--idle", type=int, default=3000, help="connections that are used once")
    add("--kill-seconds", type=float, nargs=2, default=(0.5, 3), help="between two kills")
    add("--seed", type=int, default=1)
    args = parser.parse_args()
    if not os.access(args.topkd, os.X_OK):
        parser.error(f"no binary at {args.topkd} (swift build -c release)")
    return args


def main():
    """Start, load, report; topkd ends with this process, however it ends."""
    args = arguments()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda number, _: sys.exit(128 + number))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        binary, report = args.topkd.resolve(), Report()
        soak(Server(binary, TIMEOUT_SECONDS, folder, cleanup), args, report)
        server = Server(binary, TIMEOUT_SECONDS, folder, cleanup)
        learn_all(cases := all_cases(), server.port)
        abandon(server, cases[0], report)
    sys.exit(0 if report.is_met else 1)


if __name__ == "__main__":
    main()
