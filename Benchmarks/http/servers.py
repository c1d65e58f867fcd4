"""The two servers of bench_http.py: start and end them, ask them, compare their answers."""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

START_SECONDS_MAX = 30
REQUEST_SECONDS_MAX = 30
VALUE_TOLERANCE = 1e-5
# The processes of the servers that were started, by their addresses.
PIDS = {}
# An HTTP proxy in the environment is not meant for loopback.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def end_with_parent():
    """In a new child: get SIGTERM when the benchmark dies, even by SIGKILL (Linux prctl)."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGTERM))  # PR_SET_PDEATHSIG


def start(command, name, folder, cleanup):
    """Start a server in its own process group; return the address it prints to stdout."""
    log = Path(folder, f"{name}.log")
    options = {"stdin": subprocess.DEVNULL, "start_new_session": True}
    with open(log, "wb") as sink:
        process = subprocess.Popen(
            command, stdout=sink, stderr=sink, preexec_fn=end_with_parent, **options
        )
    cleanup.callback(stop, process)
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text(errors="replace"))
        if found:
            PIDS[found.group()] = process.pid
            return found.group()
        time.sleep(0.05)
    sys.exit(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def stop(process):
    """End a server and whatever is left of its process group."""
    for sign, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, sign)
            process.wait(timeout=seconds)


def ask(address, path, body):
    """One POST of rows: the CSR answer as [indptr [B+1], indices [nnz], data [nnz]]."""
    request = urllib.request.Request(address + path, data=body, method="POST")
    request.add_header("Content-Type", "application/octet-stream")
    try:
        with DIRECT.open(request, timeout=REQUEST_SECONDS_MAX) as reply:
            raw, headers = reply.read(), reply.headers
    except urllib.error.HTTPError as error:
        sys.exit(f"{address}{path} answered {error.code}: {error.read(500)!r}")
    kinds = (headers["Topk-Format"], headers["Topk-Dtype"], headers["Topk-Index-Dtype"])
    if kinds != ("csr", "float32", "int32"):
        sys.exit(f"{address}{path} answered in {kinds}")
    rows, nnz = int(headers["Topk-Shape"].split(",")[0]), int(headers["Topk-Nnz"])
    sections, offset = [], 0
    for count, dtype in ((rows + 1, "<i4"), (nnz, "<i4"), (nnz, "<f4")):
        sections.append(np.frombuffer(raw, dtype, count, offset))
        offset += (count * 4 + 7) // 8 * 8  # each section is zero-padded to 8 bytes
    if offset != len(raw):
        sys.exit(f"{address}{path}: {len(raw)} bytes, but the headers say {offset}")
    return sections


def compare(ours, theirs, n, p):
    """Largest difference of two CSR answers; exits if it, or the support, is not the same.

    An entry within rounding of tau may be stored by one server and not by the other: tolerated
    only where u = y^(p-1), its distance from tau over lambda, is itself within the tolerance.
    """
    flat = []
    for indptr, indices, data in (ours, theirs):
        row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        flat.append((row * n + indices, data.astype(np.float64)))
    (our_keys, our_data), (their_keys, their_data) = flat
    _, i, j = np.intersect1d(our_keys, their_keys, assume_unique=True, return_indices=True)
    difference = np.abs(our_data[i] - their_data[j]).max(initial=0.0)
    alone = np.concatenate([np.delete(our_data, i), np.delete(their_data, j)])
    distance = (alone ** (p - 1)).max(initial=0.0)
    if difference > VALUE_TOLERANCE or distance > VALUE_TOLERANCE:
        sys.exit(
            f"the answers differ: by {difference:.2g} where both store a value, and "
            f"{alone.size} values, the largest {alone.max(initial=0.0):.2g}, in only one"
        )
    return float(max(difference, alone.max(initial=0.0)))
