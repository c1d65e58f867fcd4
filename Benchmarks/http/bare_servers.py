"""The programs of bench_bare.py: compile them, give the bare servers topkd's own answers, time."""

import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from servers import PIDS, end_with_parent, start, stop

HERE = Path(__file__).resolve().parent
SHIM = HERE / "../../Sources/MicroHTTPD/Daemon.swift"
LIMITS = HERE / "../../Sources/Execution/Limits.swift"
LAMBDA = 0.1
BARE_LARGE_BYTES = 65536
SOCKET_SECONDS_MAX = 30
LOAD_SECONDS_EXTRA = 60
OF_THE_LIBRARY = ("date", "content-length", "connection")  # headers that every server adds itself


def compile_programs(folder):
    """{name: path} of the C programs beside this file."""
    compiler = shutil.which("clang") or shutil.which("cc") or sys.exit("no C compiler")
    programs = {}
    for name in ("bare", "recvloop", "load"):
        programs[name] = Path(folder, name)
        command = [compiler, "-O2", str(HERE / f"{name}.c"), "-o", str(programs[name])]
        subprocess.run([*command, "-lmicrohttpd"], check=True)
    return programs


def setting(file, name):
    """A default of topkd, read from its source: the bare server shall not drift from it."""
    found = re.search(rf"var {name} = ([\d_]+)$", file.read_text(), re.MULTILINE)
    return found.group(1).replace("_", "") if found else sys.exit(f"no {name} in {file.name}")


def request_of(rows, n, k):
    """Path and body of POST /topk for N(0,1) numbers."""
    path = f"/topk?operator=mask&n={n}&k={k}&lambda={LAMBDA}&p=2&dtype=float32&format=csr"
    numbers = np.random.default_rng(1).standard_normal((rows, n), dtype=np.float32)
    return path, numbers.astype("<f4").tobytes()


def whole_request(path, body):
    """The bytes of one request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def exchange(address, request):
    """Send one request: head and body of its answer, as they came."""
    parts = urlsplit(address)
    place = (parts.hostname, parts.port)
    with socket.create_connection(place, timeout=SOCKET_SECONDS_MAX) as client:
        client.sendall(request)
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += client.recv(65536) or sys.exit(f"{address} closed the connection")
        head, _, body = raw.partition(b"\r\n\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        while len(body) < length:
            body += client.recv(65536) or sys.exit(f"{address} closed the connection")
    if not head.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"{address} answered {head[:200]!r} {body[:300]!r}")
    return head, body


def start_bare(programs, topkd, name, request, folder, cleanup):
    """A bare server whose constant answer is topkd's to this request; its address."""
    head, body = exchange(topkd, request)
    lines = head.decode().split("\r\n")[1:]
    kept = [line for line in lines if line.split(":")[0].lower() not in OF_THE_LIBRARY]
    head_file, body_file = Path(folder, f"{name}.head"), Path(folder, f"{name}.body")
    head_file.write_text("\n".join(kept) + "\n")
    body_file.write_bytes(body)
    threads = setting(LIMITS, "ioThreads")
    # topkd's large bodies go past the library's memory; bare's go through it, and want more of it.
    is_large = len(request) > BARE_LARGE_BYTES
    memory = BARE_LARGE_BYTES if is_large else setting(SHIM, "connectionMemoryBytes")
    command = [str(programs["bare"]), threads, str(memory), str(head_file), str(body_file)]
    address = start(command, f"bare-{name}", folder, cleanup)
    bare_head, bare_body = exchange(address, request)
    if bare_body != body or sorted(map(len, bare_head.split(b"\r\n"))) != sorted(
        map(len, head.split(b"\r\n"))
    ):
        sys.exit(f"the bare answer is not like topkd's:\n{bare_head}\n{head}")
    return address


def start_recvloop(programs, topkd, name, request, folder, cleanup):
    """The recv loop, whose constant answer is topkd's: its address, and its Unix socket's path."""
    head, body = exchange(topkd, request)
    answer, path = Path(folder, f"{name}.raw"), str(Path(folder, f"{name}.sock"))
    answer.write_bytes(head + b"\r\n\r\n" + body)
    command = [str(programs["recvloop"]), str(answer), path]
    return start(command, f"recvloop-{name}", folder, cleanup), path


def load(programs, address, connections, rate, seconds, request_file, send_buffer=0):
    """One run of load.c: requests/s, and p50 and p99 in microseconds. An address, or the path of a
    Unix socket; a send buffer of so many bytes, or the system's."""
    where = address if address.startswith("/") else str(urlsplit(address).port)
    command = [str(programs["load"]), where, str(connections), f"{rate:.3f}", str(seconds)]
    limit = seconds + LOAD_SECONDS_EXTRA
    run = subprocess.run(
        [*command, str(request_file), str(send_buffer)],
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
    if run.returncode != 0 or not run.stdout.startswith("RESULT "):
        sys.exit(f"load {address}: {run.stderr[-500:]}")
    requests, elapsed, p50, p99, _ = (float(field) for field in run.stdout.split()[1:])
    return {"rps": requests / elapsed, "p50_us": p50, "p99_us": p99}


def cpu_seconds(address):
    """What the server there has used of all cores so far, by the kernel's ten-millisecond clock."""
    fields = Path(f"/proc/{PIDS[address]}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port():
    """A port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_once(binary, request):
    """Milliseconds from fork to the first answer, and RSS in MB half a second later."""
    port = free_port()
    command = [str(binary), "serve", "--host", "127.0.0.1", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    sink = subprocess.DEVNULL
    before = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=sink, stderr=sink, start_new_session=True, preexec_fn=end_with_parent
    )
    try:
        while True:
            try:
                exchange(address, request)
                break
            except ConnectionRefusedError:
                if process.poll() is not None or time.perf_counter() - before > 10:
                    sys.exit("topkd did not start")
                time.sleep(0.0002)
        milliseconds = (time.perf_counter() - before) * 1e3
        time.sleep(0.5)
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        stop(process)
    return milliseconds, int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def exit_on_signals():
    """Turn signals into SystemExit, so that the servers are stopped."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda number, _: sys.exit(128 + number))


def median_of(rounds, key):
    """The median of one figure over rounds."""
    return statistics.median(result[key] for result in rounds)


def cores():
    """What there is to share."""
    return len(os.sched_getaffinity(0))
