#!/usr/bin/env python3
"""kill -9 of replicas behind HAProxy, under load: no client may see it.

Three topkd replicas behind deploy/haproxy.cfg. Clients ask without pause and compare every answer,
while one replica after another is killed at a random moment and started again. Bodies of 4 KB and
100 KB fit into HAProxy's buffer, so that it sends them again itself; 4 MB do not, and there the
client sends again. See README.md.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from cases import raw
from client import Closed, Connection
from replicas import HERE, Replicas, start_haproxy

CONTEXT = multiprocessing.get_context("fork")
# name: rows, n, k, whether clients may send again
SIZES = {
    "4 KB": (1, 1000, 10, False),
    "100 KB": (25, 1000, 10, False),
    "4 MB": (256, 4096, 64, True),
}
CONNECTIONS = 4  # of each process
ATTEMPTS_MAX = 5
RETRY_SECONDS = 0.05
DOWN_SECONDS = (0.2, 1.0)
UP_SECONDS = (0.3, 1.5)


class Client:
    """One process with a few connections; counts what it sees."""

    def __init__(self, port, case, may_retry, counts, is_over):
        self.port, self.case, self.may_retry = port, case, may_retry
        self.counts = counts  # answers, failures, sent again
        self.is_over, self.number = is_over, 0

    def send(self, connection, ident):
        """The connection, or a new one where there is none; and why it was of no use."""
        try:
            connection = connection or Connection(self.port)
            connection.send(self.case.head, ident, self.case.body)
            return connection, None
        except (Closed, ConnectionError) as error:
            return None, str(error)

    def receive(self, connection, ident):
        """The connection while it is of use; and what is wrong with the answer."""
        try:
            answer = connection.receive()
        except Closed as error:
            connection.close()
            return None, str(error)
        problem = self.case.difference(answer, ident)
        if answer.closes:
            connection.close()
            connection = None
        return connection, problem

    def settle(self, connection, problem, ident):
        """Count one answer; before that, send again where this is the client's business."""
        for attempt in range(ATTEMPTS_MAX - 1 if self.may_retry else 0):
            if problem is None:
                break
            self.counts[2] += 1
            time.sleep(RETRY_SECONDS * 2**attempt)
            connection, problem = self.send(connection, ident)
            if problem is None:
                connection, problem = self.receive(connection, ident)
        self.counts[0 if problem is None else 1] += 1
        if problem is not None:
            print(f"failed: {problem[:300]}", file=sys.stderr, flush=True)
        return connection

    def run(self):
        """A request on each connection, an answer from each, until it is over."""
        connections = [None] * CONNECTIONS
        while not self.is_over.value:
            sent = []
            for connection in connections:
                self.number += 1
                ident = b"f%03d-%011d" % (os.getpid() % 1000, self.number)
                sent.append((*self.send(connection, ident), ident))
            connections = []
            for connection, problem, ident in sent:
                if problem is None:
                    connection, problem = self.receive(connection, ident)
                connections.append(self.settle(connection, problem, ident))


def child(client):
    """In the new process: signals as usual."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_DFL)
    client.run()


def phase(port, replicas, name, args, generator):
    """One size of body under load and kills: kills, answers, failures, sent again, seconds."""
    rows, n, k, may_retry = SIZES[name]
    case = raw(1, "mask", rows, n, k)
    connection = Connection(port)
    if problem := case.learn(connection):
        sys.exit(problem)
    connection.close()
    is_over = CONTEXT.RawValue("i", 0)
    counts = [CONTEXT.RawArray("q", 3) for _ in range(args.clients)]
    clients = [Client(port, case, may_retry, mine, is_over) for mine in counts]
    processes = [CONTEXT.Process(target=child, args=(one,), daemon=True) for one in clients]
    start = time.monotonic()
    for process in processes:
        process.start()
    for _ in range(args.kills):
        time.sleep(generator.uniform(*UP_SECONDS))
        victim = generator.randrange(len(replicas.ports))
        replicas.kill(victim)
        time.sleep(generator.uniform(*DOWN_SECONDS))
        replicas.start(victim)
    time.sleep(UP_SECONDS[1])
    is_over.value = 1
    for process in processes:
        process.join()
    if any(process.exitcode != 0 for process in processes):
        sys.exit("a client ended with an error")
    return *map(sum, zip(*counts, strict=True)), time.monotonic() - start


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="kill -9 of replicas behind HAProxy")
    add = parser.add_argument
    add("--topkd", type=Path, default=HERE / "../../.build/release/topkd", help="the binary")
    add("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    add("--kills", type=int, default=10, help="for each size")
    add("--clients", type=int, default=2, help="processes")
    add("--seed", type=int, default=1)
    add("--without-retries", action="store_true", help="see that the test can fail")
    args = parser.parse_args()
    if not shutil.which("haproxy"):
        parser.error("haproxy is not installed (apt install haproxy)")
    if not os.access(args.topkd, os.X_OK):
        parser.error(f"no binary at {args.topkd} (swift build -c release)")
    return args


def main():
    """Start, kill, report; replicas and HAProxy end with this process, however it ends."""
    args = arguments()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda number, _: sys.exit(128 + number))
    generator, is_met = random.Random(args.seed), True
    with contextlib.ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        replicas = Replicas(args.topkd.resolve(), folder, cleanup)
        port = start_haproxy(replicas, not args.without_retries, folder, cleanup)
        print("| body | kill -9 | answers | requests/s | sent again by clients | failed | goal | |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for name in args.sizes:
            answers, failures, again, seconds = phase(port, replicas, name, args, generator)
            is_met &= failures == 0
            print(f"| {name} | {args.kills} | {answers:,} | {answers / seconds:,.0f} | {again} "
                  f"| {failures} | 0 | {'missed' if failures else 'met'} |", flush=True)
    sys.exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
