"""The service a user would write instead of topkd: FastAPI, uvicorn and NumPy, with care.

POST /topk takes raw little-endian float32 rows and answers in topkd's bytes (CSR or dense), so
that the two servers can be compared request for request. It has what the comparison needs and
no more: the mask operator, float32, p = 2 or 4/3, lambda > 0, one k for all rows.

The operator, per row x of n scores: y = argmax <x, y> - (lambda/p) ||y||_p^p over
{y in [0,1]^n, sum y = k}. Sander et al., "Fast, Differentiable and Sparse Top-k", ICML 2023,
arXiv:2302.01425. With s the sorted row (descending) and e = 1/(p-1), the answer is
y_i = clip((x_i - tau)/lambda, 0, 1)^e for a tau in [s_k - lambda, s_{k+1}] with sum y = k.

Two kernels: "plain" is np.partition and vectorised Newton as anyone would write them from the
formulas; "tuned" is what remains after profiling it for days. README.md compares them.
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
import peer_plain
import peer_tuned
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from starlette.requests import ClientDisconnect

OCTET_STREAM = "application/octet-stream"
EXPONENTS = {"2": 1, "4/3": 3}  # p to e = 1/(p-1)
KERNELS = {"plain": peer_plain.mask, "tuned": peer_tuned.mask}
kernel = peer_plain.mask  # set by --kernel before workers are forked


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
        indptr, indices, data = kernel(x, k, lam, exponent)
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
    parser.add_argument("--kernel", choices=KERNELS, default="plain")
    args = parser.parse_args()
    globals()["kernel"] = KERNELS[args.kernel]
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
