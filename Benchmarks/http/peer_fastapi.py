"""The service a user would write instead of topkd: FastAPI, uvicorn and NumPy, with care.

POST /topk takes raw little-endian float32 rows and answers in topkd's bytes (CSR or dense), so
that the two servers can be compared request for request. It has what the comparison needs and
no more: the mask operator, float32, p = 2 or 4/3, lambda > 0, one k for all rows.

The operator, per row x of n scores: y = argmax <x, y> - (lambda/p) ||y||_p^p over
{y in [0,1]^n, sum y = k}. Sander et al., "Fast, Differentiable and Sparse Top-k", ICML 2023,
arXiv:2302.01425. With s the sorted row (descending) and e = 1/(p-1), the answer is
y_i = clip((x_i - tau)/lambda, 0, 1)^e for a tau in [s_k - lambda, s_{k+1}] with sum y = k.

Every step is vectorised over rows and runs in NumPy's SIMD loops: a bound on s_k from group
maxima, one compare to find the few entries that can matter (CSR order comes for free), Newton
on those alone. README.md says what was tried and dropped.
"""

import argparse
import ctypes
import multiprocessing
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager

# Products this small gain nothing from a BLAS helper thread, and it takes the client's core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from starlette.requests import ClientDisconnect

GROUP_SIZE_MAX = 8
NEWTON_STEPS_MAX = 12
BISECTION_STEPS = 54  # narrows a bracket at most 1 wide to the last bit of a double
STEP_TOLERANCE = 1e-10  # in units of lambda
OCTET_STREAM = "application/octet-stream"
EXPONENTS = {"2": 1, "4/3": 3}  # p to e = 1/(p-1)


def lower_bound(x, k):
    """float32 [B]: a value at most s_k for each row of x [B, n].

    k group maxima are k distinct entries, so the k-th largest of them is such a bound, and
    finding it partitions an eighth of the data. One index only: np.partition with two indices
    leaves its SIMD path and takes seven to ten times as long.
    """
    n = x.shape[1]
    group = min(GROUP_SIZE_MAX, n // (4 * k))
    if group < 2:
        maxima, width = x, n
    else:
        # A group is strided, so that the reduction runs over long contiguous stretches. Up to
        # 7 last columns belong to no group; leaving them out keeps this a lower bound.
        width = n // group
        maxima = x[:, : group * width].reshape(-1, group, width).max(axis=1)
    # max() is NaN if an entry is: this sees every NaN and +inf, almost for free.
    tail = x[:, width * max(group, 1) :]
    if not maxima.max() < np.inf or (tail.size and not tail.max() < np.inf):
        raise ValueError("x holds a NaN or +inf")
    return np.partition(maxima, width - k, axis=1)[:, width - k]


def candidates(x, k, lam):
    """The entries of x [B, n] that can be non-zero, as flat ascending indices and row bounds.

    y_i > 0 needs x_i > tau >= s_k - lambda. Returns index int64 [C] into x.ravel() and bounds
    int64 [B+1]: row b owns index[bounds[b]:bounds[b+1]], at least k entries.
    """
    rows, n = x.shape
    # One float32 further down, so that rounding the bound cannot lose an entry.
    bound = (lower_bound(x, k) - np.float64(lam)).astype(np.float32)
    bound = np.nextafter(bound, np.float32(-np.inf))
    index = np.flatnonzero(x > bound[:, None])
    bounds = np.searchsorted(index, np.arange(0, (rows + 1) * n, n))
    return index, bounds


def residual(z, tau, k, exponent, ones):
    """sum y - k and the Newton step towards its root, both [B], at tau [B]; z is [B, m].

    For e = 3 Newton runs on ||u||_3 - K^(1/3) over the active entries, K = k - n_capped: nearly
    linear in tau, so that few steps suffice.
    """
    u = z - tau[:, None]
    y = np.minimum(np.maximum(u, 0.0), 1.0)
    if exponent == 1:
        excess = y @ ones - k
        return excess, excess / np.maximum((y == u) @ ones, 1.0)
    squares = y * y
    capped = (u >= 1.0) @ ones
    wanted = k - capped
    mass = np.maximum(np.einsum("ij,ij->i", squares, y) - capped, 0.0)
    slope = squares @ ones - capped
    norm = np.cbrt(mass)
    step = (norm - np.cbrt(np.maximum(wanted, 0.0))) * norm * norm / np.maximum(slope, 1e-300)
    # Without an active entry there is no slope: leave for the end of the bracket.
    return mass - wanted, np.where(slope > 1e-12, step, -wanted)


def solve(z, k, exponent):
    """The root tau float64 [B] in [-1, 0] of sum_j clip(z_ij - tau_i, 0, 1)^e = k.

    z is (x - s_{k+1})/lambda on the candidates, [B, m], rows ascending: s_k is column m-k.
    Newton, held in the bracket [z_k - 1, 0]; rows drawn from N(0,1) take two to seven steps. It
    can cycle (the sum is neither convex nor concave), so rows that are not done are bisected.
    """
    low = np.minimum(z[:, z.shape[1] - k] - 1.0, 0.0)
    tau = 0.5 * low
    ones = np.ones(z.shape[1])
    for _ in range(NEWTON_STEPS_MAX):
        _, step = residual(z, tau, k, exponent, ones)
        tau = np.minimum(np.maximum(tau + step, low), 0.0)
        if np.abs(step).max() <= STEP_TOLERANCE:
            return tau
    left = np.flatnonzero(np.abs(step) > STEP_TOLERANCE)
    z, below, above = z[left], low[left], np.zeros(left.size)
    for _ in range(BISECTION_STEPS):
        middle = 0.5 * (below + above)
        over = residual(z, middle, k, exponent, ones)[0] > 0.0
        below, above = np.where(over, middle, below), np.where(over, above, middle)
    tau[left] = 0.5 * (below + above)
    return tau


def mask(x, k, lam, exponent):
    """The mask of x float32 [B, n] as CSR: indptr int32 [B+1], indices int32, data float32."""
    rows, n = x.shape
    index, bounds = candidates(x, k, lam)
    counts = np.diff(bounds)
    if counts.min() < k:
        raise ValueError("a row has fewer than k finite entries")
    values = x.ravel()[index]
    row = np.repeat(np.arange(rows), counts)
    # Candidates as a rectangle [B, m], padded with -inf; m > k, so that s_{k+1} exists.
    m = max(int(counts.max()), k + 1)
    table = np.full((rows, m), -np.inf, dtype=np.float32)
    shift = np.arange(0, rows * m, m) - bounds[:-1]
    table.ravel()[np.arange(index.size) + shift[row]] = values
    table.sort(axis=1)
    # Measured from s_{k+1} float64 loses nothing. If s_k - s_{k+1} >= lambda the answer is the
    # hard mask, and s_k - lambda serves as well; then s_{k+1} may be the padding.
    origin = np.maximum(table[:, m - k - 1], table[:, m - k] - np.float64(lam))
    tau = solve((table - origin[:, None]) / lam, k, exponent)
    u = (values - (origin + lam * tau)[row]) / lam
    live = np.flatnonzero(u > 0.0)
    y = np.minimum(u[live], 1.0)
    data = (y if exponent == 1 else y * y * y).astype(np.float32)
    indices = (index[live] - row[live] * n).astype(np.int32)
    return np.searchsorted(live, bounds).astype(np.int32), indices, data


def padded(array):
    """The bytes of array, zero-padded to a multiple of 8."""
    body = array.tobytes()
    return body + bytes(-len(body) % 8)


async def topk(request: Request):
    """Body: B*n little-endian float32. Query: n, k, operator, lambda, p, dtype, format."""
    query = request.query_params
    try:
        body = await request.body()
        n, k, lam = int(query["n"]), int(query["k"]), float(query.get("lambda", 0.1))
        exponent = EXPONENTS[query.get("p", "4/3")]
        if query.get("operator", "mask") != "mask" or query.get("dtype", "float32") != "float32":
            raise ValueError("only operator=mask and dtype=float32")
        if not (1 <= k <= n and 0.0 < lam < np.inf and len(body) > 0):
            raise ValueError("needs 1 <= k <= n, lambda > 0 and at least one row")
        x = np.frombuffer(body, dtype="<f4").reshape(-1, n)
        indptr, indices, data = mask(x, k, lam, exponent)
    except (KeyError, ValueError) as error:
        raise HTTPException(422, f"{type(error).__name__}: {error}") from error
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    form = query.get("format", "csr")
    headers = {"Topk-Format": form, "Topk-Shape": f"{len(x)},{n}", "Topk-Dtype": "float32"}
    if form == "dense":
        dense = np.zeros(x.shape, dtype=np.float32)
        dense[np.repeat(np.arange(len(x)), np.diff(indptr)), indices] = data
        return Response(dense.tobytes(), headers=headers, media_type=OCTET_STREAM)
    headers["Topk-Nnz"] = str(data.size)
    headers["Topk-Index-Dtype"] = "int32"
    sections = padded(indptr) + padded(indices) + padded(data)
    return Response(sections, headers=headers, media_type=OCTET_STREAM)


def keep_freed_memory():
    """Tell glibc to keep freed pages: faulting them in again doubles the time of a 4 MB batch."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD
        mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD


@asynccontextmanager
async def lifespan(_):
    """Start-up of every worker process."""
    keep_freed_memory()
    yield


NO_TELEMETRY = {"tracing": False, "metrics": False, "logs": False}
app = FastAPI(openapi_url=None, lifespan=lifespan, telemetry=NO_TELEMETRY)
# Not @app.post: a handler that takes the request itself has no use for FastAPI's dependency
# resolution, which costs 15 % of the requests per second on small bodies.
app.add_route("/topk", topk, methods=["POST"])


def serve(sock):
    """Run one process's server on its own bound socket until a signal ends it."""
    quiet = {"access_log": False, "log_level": "warning", "proxy_headers": False, "ws": "none"}
    config = uvicorn.Config(app, loop="uvloop", http="httptools", **quiet)
    uvicorn.Server(config).run(sockets=[sock])


def bind(host, port):
    """A worker's own socket (SO_REUSEPORT): the kernel spreads connections; if workers share one,
    as under uvicorn's --workers, whoever wakes first takes a whole burst."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, port))
    return sock


def main():
    """Bind, print the address, serve; port 0 takes a free one. SIGTERM ends every process."""
    parser = argparse.ArgumentParser(description="topkd's FastAPI peer")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    args = parser.parse_args()
    # uvicorn raises the signal again when it has stopped; leave by exit, which ends children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sockets = [bind(args.host, args.port)]
    port = sockets[0].getsockname()[1]
    sockets += [bind(args.host, port) for _ in range(args.workers - 1)]
    fork = multiprocessing.get_context("fork")
    for sock in sockets[1:]:
        fork.Process(target=serve, args=(sock,), daemon=True).start()
        sock.close()
    sockets[0].listen(2048)
    print(f"peer listening on http://{args.host}:{port}", flush=True)
    serve(sockets[0])


if __name__ == "__main__":
    main()
