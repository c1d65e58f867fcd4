"""Requests, their reference answers, and what counts as the same answer."""

import json
from dataclasses import dataclass, field

import numpy as np

from client import Connection

RAW, JSON = "application/octet-stream", "application/json"
REFERENCE_ID = b"reference-000000"  # as long as every other id: problems carry it in their body
TOLERANCE = 2e-5
LAMBDA = 0.1


@dataclass
class Case:
    """One request and the answer that it always gets."""

    name: str
    weight: float
    status: int
    head: bytes
    body: bytes = b""
    code: str = ""
    is_same_body: bool = True  # false: /metrics
    reference: object = None
    stable: tuple = ()
    has_id: bool = field(default=False, repr=False)

    def learn(self, connection):
        """Take the reference answer, and check its status and, for problems, the code."""
        connection.send(self.head, REFERENCE_ID, self.body)
        answer = connection.receive()
        code = json.loads(answer.body)["code"] if answer.status >= 400 else ""
        if (answer.status, code) != (self.status, self.code):
            return f"{self.name}: {answer.status} {code}, not {self.status} {self.code}"
        self.reference, self.stable = answer, answer.stable()
        self.has_id = REFERENCE_ID in answer.body
        return self.difference(answer, REFERENCE_ID)

    def difference(self, answer, ident):
        """What is not as in the reference answer; None when nothing is."""
        if b"x-request-id: " + ident not in answer.head:
            return f"{self.name}: the answer of another request: {answer.head!r}"
        if not self.is_same_body:
            is_text = answer.body.endswith(b"\n") and b"\ntopkd_" in answer.body
            return None if answer.status == self.status and is_text else f"{self.name}: no metrics"
        if answer.stable() != self.stable:
            return f"{self.name}: headers {answer.head!r}, not {self.reference.head!r}"
        body = self.reference.body
        if self.has_id:
            body = body.replace(REFERENCE_ID, ident)
        if answer.body != body:
            return f"{self.name}: body {answer.body[:300]!r}, not {body[:300]!r}"
        return None


def request(name, weight, path, *, body=b"", kind="", status=200, code="", method=None, extra=""):
    """A case from the parts of its request."""
    head = f"{method or ('POST' if kind else 'GET')} {path} HTTP/1.1\r\nHost: localhost\r\n{extra}"
    if kind:
        head += f"Content-Type: {kind}\r\n"
    if kind and "Content-Length" not in extra:
        head += f"Content-Length: {len(body)}\r\n"
    head = f"{head}X-Request-Id: ".encode()
    return Case(name, weight, status, head, body, code, is_same_body=path != "/metrics")


def numbers(rows, n, seed):
    """N(0, 1) as float32, [rows, n]."""
    return np.random.default_rng(seed).standard_normal((rows, n), dtype=np.float32)


def raw(weight, operator, rows, n, k, *, p="2", direction="", more=""):
    """A case with raw numbers; for vjp and jvp a cotangent or tangent follows x."""
    x = numbers(rows * (2 if direction else 1), n, n + rows)
    path = f"/topk{direction}?operator={operator}&n={n}&k={k}&lambda={LAMBDA}&p={p}{more}"
    name = f"raw{direction} {operator} {rows}x{n} p={p}{more}"
    dtype = np.float64 if "float64" in more else np.float32
    return request(name, weight, path, body=x.astype(dtype).tobytes(), kind=RAW)


def text(weight, operator, rows, n, k, *, direction="", **more):
    """The same as JSON."""
    x = numbers(rows, n, n + rows).round(4).astype(float).tolist()
    document = {"operator": operator, "x": x, "k": k, "lambda": LAMBDA, "p": 2} | more
    if direction:
        other = numbers(rows, n, n - rows).round(4).astype(float).tolist()
        document["cotangent" if direction == "/vjp" else "tangent"] = other
    name = f"json{direction} {operator} {rows}x{n} {more or ''}"
    return request(name, weight, f"/topk{direction}", body=json.dumps(document).encode(), kind=JSON)


def further(weight, operator, rows, n, query, *, direction="", parts=1):
    """An operator beyond the paper, as raw numbers; its inputs and cotangents follow x."""
    x = numbers(rows * parts, n, n + rows)
    path = f"/topk{direction}?operator={operator}&shape={rows},{n}&{query}"
    name = f"raw{direction} {operator} {rows}x{n}"
    return request(name, weight, path, body=x.tobytes(), kind=RAW)


def bad_cases():
    """Requests that are refused."""
    nan = np.full(8, np.nan, dtype=np.float32).tobytes()
    good, x = "/topk?n=8&k=2", bytes(32)
    document = b'{"x":[3,1,2],"k":5}'
    big = "Content-Length: 999999999\r\n"

    def bad(weight, status, code, path, body=b"", kind=RAW, **more):
        return request(
            f"bad {code}", weight, path, body=body, kind=kind, status=status, code=code, **more
        )

    return [
        bad(2, 422, "out_of_range", "/topk", document, JSON),
        bad(2, 400, "invalid_json", "/topk", document[:-3], JSON),
        bad(1, 422, "not_finite", good, nan),
        bad(1, 422, "wrong_body_length", good, x[:-4]),
        bad(1, 422, "unknown_operator", good + "&operator=none", x),
        bad(1, 422, "unknown_parameter", good + "&q=1", x),
        bad(1, 415, "unsupported_media_type", good, x, "text/plain"),
        bad(1, 406, "not_acceptable", good, x, extra="Accept: image/png\r\n"),
        bad(1, 404, "not_found", "/nothing", x),
        bad(1, 405, "method_not_allowed", "/topk", kind="", method="DELETE"),
        # Refused by its header alone: the server closes the connection, the client opens another.
        bad(0.1, 413, "body_too_large", good, extra=big),
    ]


def all_cases():
    """The mix; weights are about per cent."""
    return [
        raw(20, "mask", 1, 1000, 10),
        raw(8, "values", 1, 1000, 10, p="4/3"),
        raw(6, "magnitude", 4, 256, 8),
        raw(4, "mask", 16, 64, 4, more="&format=dense"),
        raw(3, "mask", 8, 100, 5, more="&format=padded"),
        raw(3, "values", 3, 333, 7, p="1.5", more="&dtype=float64"),
        raw(2, "mask", 2, 500, 5, p="3", more="&linearization=true"),
        raw(1, "mask", 2, 200, 5, more="&solver=dykstra"),
        raw(2, "mask", 64, 1000, 10),
        raw(1, "magnitude", 100, 300, 10),
        raw(0.05, "mask", 256, 4096, 64),
        raw(8, "mask", 1, 1000, 10, direction="/vjp"),
        raw(4, "values", 16, 128, 8, direction="/vjp", more="&format=dense"),
        raw(3, "magnitude", 8, 100, 5, direction="/vjp"),
        raw(0.3, "mask", 64, 1000, 10, direction="/vjp"),
        raw(2, "mask", 1, 1000, 10, direction="/jvp"),
        text(6, "mask", 2, 50, 5),
        text(4, "values", 4, 20, 3, format="dense"),
        text(3, "magnitude", 1, 200, 10),
        text(4, "mask", 2, 50, 5, direction="/vjp"),
        text(2, "magnitude", 2, 30, 3, direction="/vjp", dtype="float64"),
        text(0.5, "mask", 16, 500, 10),
        further(3, "soft_topk", 4, 200, "k=5.5&tau=0.1"),
        further(1, "soft_topk", 4, 200, "k=5&tau=0.1", direction="/vjp", parts=2),
        further(0.3, "soft_topk_sorted", 2, 50, "k=3"),
        further(2, "top_kast", 16, 64, "k_forward=4&k_backward=8"),
        further(1, "top_kast", 16, 64, "k_forward=4&k_backward=8", direction="/vjp", parts=2),
        further(2, "gaussian_k", 4, 300, "density=0.05&inputs=residual", parts=2),
        *bad_cases(),
        request("livez", 3, "/livez"),
        request("readyz", 1, "/readyz"),
        request("operators", 0.2, "/operators"),
        request("metrics", 0.05, "/metrics"),
    ]


def mask(x, k):
    """The relaxed indicator for p = 2 in float64: y = clip((x - tau) / lambda), sum y = k."""
    low, high = x.min(axis=1) - LAMBDA, x.max(axis=1)
    for _ in range(100):
        middle = (low + high) / 2
        is_above = ((x - middle[:, None]) / LAMBDA).clip(0, 1).sum(axis=1) > k
        low, high = np.where(is_above, middle, low), np.where(is_above, high, middle)
    return ((x - low[:, None]) / LAMBDA).clip(0, 1)


def check_with_numpy(port):
    """The largest difference of float64 NumPy and topkd, for mask and values."""
    connection, worst = Connection(port), 0.0
    for operator in ("mask", "values"):
        for rows, n, k in ((1, 1000, 10), (64, 1000, 10), (3, 7, 2), (256, 4096, 64)):
            case = raw(1, operator, rows, n, k, more="&format=dense")
            if problem := case.learn(connection):
                return problem, worst
            x = np.frombuffer(case.body, np.float32).reshape(rows, n).astype(np.float64)
            expected = mask(x, k) * (x if operator == "values" else 1)
            found = np.frombuffer(case.reference.body, np.float32).reshape(rows, n)
            worst = max(worst, float(np.abs(found - expected).max()))
    connection.close()
    return (f"NumPy differs by {worst:.2g}" if worst > TOLERANCE else None), worst


def learn_all(cases, port):
    """Take all references; what is wrong with the first bad one, or None."""
    connection = Connection(port)
    for case in cases:
        if problem := case.learn(connection):
            return problem
        if case.reference.closes:
            connection.close()
            connection = Connection(port)
    connection.close()
    return None
