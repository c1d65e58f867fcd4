"""Client processes that ask without pause, are killed at random, and start again."""

import multiprocessing
import os
import random
import signal
import sys

from client import Closed, Connection

RUN, FINISH, DRAIN = 0, 1, 2  # what the clients shall do
CONNECTIONS = 8  # of each process
PLAN = 4096  # requests, then the same again
ABANDON_ONE_IN = 2000

CONTEXT = multiprocessing.get_context("fork")


class Client:
    """One process: a request on each connection, then an answer from each, and so on."""

    def __init__(self, slot, port, cases, shared, seed):
        self.slot, self.port, self.shared = slot, port, shared
        generator = random.Random(seed)
        weights = [case.weight for case in cases]
        self.plan = generator.choices(cases, weights, k=PLAN)
        self.random, self.sent = generator, generator.randrange(10**6)
        self.pending = {}  # connection: (case, id)
        self.fresh = set()  # connections without an answer so far

    def open(self):
        """A new connection and its first request; a draining server may refuse it."""
        try:
            connection = Connection(self.port)
            self.fresh.add(connection)
            self.send(connection)
        except (Closed, ConnectionError):
            if self.shared.mode.value != DRAIN:
                raise

    def send(self, connection):
        """The next request of the plan."""
        case = self.plan[self.sent % PLAN]
        self.sent += 1
        ident = b"c%03d-%011d" % (self.slot, self.sent)
        self.pending[connection] = (case, ident)
        connection.send(case.head, ident, case.body)

    def abandon(self):
        """Send one half of a request and go away, as clients do."""
        case = next(case for case in self.plan if case.body)
        try:
            connection = Connection(self.port)
            connection.send(case.head, b"abandoned", case.body[: len(case.body) // 2])
        except (Closed, ConnectionError):
            if self.shared.mode.value != DRAIN:
                raise
            return
        connection.close()
        self.shared.abandoned[self.slot] += 1

    def receive(self, connection):
        """Compare one answer, then send the next request or close."""
        case, ident = self.pending.pop(connection)
        try:
            answer = connection.receive()
        except Closed:
            # It was in the backlog of the listening socket and was never accepted.
            if connection in self.fresh and self.shared.mode.value == DRAIN:
                return
            raise
        self.fresh.discard(connection)
        mode = self.shared.mode.value
        if mode == DRAIN and answer.status == 503 and b'"draining"' in answer.body:
            self.shared.refused[self.slot] += 1
        elif difference := case.difference(answer, ident):
            sys.exit(f"client {self.slot}: {difference}")
        else:
            self.shared.answered[self.slot] += 1
        if mode == FINISH or (mode == DRAIN and answer.closes):
            connection.close()
        elif answer.closes:
            connection.close()
            self.open()
        else:
            self.send(connection)

    def run(self):
        """Until told to finish, or until a draining server has closed every connection."""
        for _ in range(CONNECTIONS):
            self.open()
        while self.pending:
            for connection in list(self.pending):
                self.receive(connection)
            if self.shared.mode.value == RUN and self.random.random() < 8 / ABANDON_ONE_IN:
                self.abandon()


class Shared:
    """What clients tell the parent; it survives when one is killed."""

    def __init__(self, count):
        self.mode = CONTEXT.RawValue("i", RUN)
        self.answered, self.refused, self.abandoned = (
            CONTEXT.RawArray("q", count) for _ in range(3)
        )


class Crowd:
    """All client processes; each has a slot, and is started anew in it."""

    def __init__(self, count, port, cases, seed):
        self.port, self.cases, self.seed = port, cases, seed
        self.shared = Shared(count)
        self.processes = [None] * count
        self.kills, self.failures = 0, []

    def start(self):
        """Start whoever does not run."""
        for slot, process in enumerate(self.processes):
            if process is None:
                self.seed += 1
                process = CONTEXT.Process(target=self._child, args=(slot, self.seed), daemon=True)
                process.start()
                self.processes[slot] = process

    def _child(self, slot, seed):
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_DFL)
        try:
            Client(slot, self.port, self.cases, self.shared, seed).run()
        except (Closed, ConnectionError) as error:
            sys.exit(f"client {slot}: closed {error}")

    def check(self):
        """Note whoever ended without being told to."""
        for process in self.processes:
            if process is not None and process.exitcode not in (None, 0):
                self.failures.append(f"a client ended with {process.exitcode}")
        return not self.failures

    def kill_one(self, generator):
        """SIGKILL in the middle of things, and another client in its place."""
        slot = generator.randrange(len(self.processes))
        if self.processes[slot].exitcode is None:
            os.kill(self.processes[slot].pid, signal.SIGKILL)
            self.processes[slot].join()
            self.processes[slot] = None
            self.kills += 1
            self.start()

    def end(self, mode, seconds=60):
        """Tell all to finish and wait; whether every client was content."""
        self.shared.mode.value = mode
        self.join(seconds)
        self.shared.mode.value = RUN
        return not self.failures

    def join(self, seconds=60):
        """Wait for all; their slots are free then."""
        for slot, process in enumerate(self.processes):
            process.join(seconds)
            if process.exitcode is None:
                process.kill()
                process.join()
            if process.exitcode != 0:
                self.failures.append(f"client {slot} ended with {process.exitcode}")
            self.processes[slot] = None

    @property
    def answered(self):
        """Answers that were as they should be."""
        return sum(self.shared.answered)
