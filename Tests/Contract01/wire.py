"""Requests as data, the bytes that they are sent as, and a client that repairs nothing."""

import array
import hashlib
import json
import socket
import struct
from dataclasses import dataclass, field

JSON, RAW = "application/json", "application/octet-stream"
SIZES = {"float32": 4, "float64": 8, "float16": 2, "bfloat16": 2}
# As long as every other id would be, and in each problem's body.
REQUEST_ID = "contract-01"


@dataclass
class Case:
    """One request; its body is text, bytes, or a recipe for bytes."""

    id: str
    target: str
    headers: list = field(default_factory=list)
    body: object = None
    method: str = "POST"

    def content(self):
        """The bytes of the body; None where none is announced."""
        if isinstance(self.body, str):
            return self.body.encode()
        if isinstance(self.body, dict):
            return cooked(self.body)
        return self.body

    def head(self, length):
        """What is sent before the body."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        names = [name.lower() for name, _ in self.headers]
        if "host" not in names:
            lines.append("Host: test")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if "x-request-id" not in names:
            lines.append(f"X-Request-Id: {REQUEST_ID}")
        if length is not None and not {"content-length", "transfer-encoding"} & set(names):
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def as_json(id, members, path="/topk", accept=None):
    """A case with these members; -inf is spelled as the contract wants it."""
    text = members if isinstance(members, str) else dumps(members)
    headers = [("Content-Type", JSON)] + ([("Accept", accept)] if accept else [])
    return Case(id, path, headers, text)


def as_raw(id, query, body, path="/topk", accept=None):
    """A case with this query (text, or a dictionary) and raw numbers."""
    if isinstance(query, dict):
        query = "&".join(f"{name}={spelled(value)}" for name, value in query.items())
    headers = [("Content-Type", RAW)] + ([("Accept", accept)] if accept else [])
    return Case(id, f"{path}?{query}" if query else path, headers, body)


def dumps(value):
    return json.dumps(value, separators=(",", ":")).replace("-Infinity", '"-Infinity"')


def spelled(value):
    """A value in a query."""
    if isinstance(value, list):
        return ",".join(spelled(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# Numbers


def numbers(values, dtype="float32"):
    """Little-endian numbers, the nearest of the type."""
    if dtype == "bfloat16":
        return b"".join(struct.pack("<H", bfloat16(value)) for value in values)
    letter = {"float32": "f", "float64": "d", "float16": "e"}[dtype]
    return struct.pack(f"<{len(values)}{letter}", *values)


def bfloat16(value):
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    if value != value or value in (float("inf"), float("-inf")):
        return bits >> 16 | (1 if value != value else 0)
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def integers(values, dtype="int32"):
    return struct.pack(f"<{len(values)}{'q' if dtype == 'int64' else 'i'}", *values)


def padded(data):
    return data + bytes(-len(data) % 8)


def flat(value):
    """Numbers of nested lists, row after row."""
    return [one for part in value for one in flat(part)] if isinstance(value, list) else [value]


# Recipes for bodies that are too large to keep.


def splitmix64(seed, count):
    mask, state = (1 << 64) - 1, seed
    for _ in range(count):
        state = state + 0x9E3779B97F4A7C15 & mask
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        yield z ^ z >> 31


def cooked(recipe):
    """The bytes that a recipe stands for."""
    bits = recipe["bits"]
    half = 1 << bits - 1
    levels = [(z >> 64 - bits) - half for z in splitmix64(recipe["seed"], recipe["count"])]
    if recipe["dtype"] == "json":
        n = recipe["row"]
        rows = [levels[i : i + n] for i in range(0, len(levels), n)]
        return (recipe["before"] + dumps(rows) + recipe["after"]).encode()
    values = [level * 2.0 ** (4 - bits) for level in levels]
    for index, name in recipe.get("special", {}).items():
        values[int(index)] = float(name)
    if recipe["dtype"] in ("float32", "float64"):
        return array.array("f" if recipe["dtype"] == "float32" else "d", values).tobytes()
    return numbers(values, recipe["dtype"])


# Answers

KEPT = ["content-type", "retry-after", "allow", "www-authenticate", "connection"]


class Client:
    """Keeps its connection until the service says that it closes it."""

    def __init__(self, port):
        self.port, self.stream, self.socket = port, None, None

    def send(self, case):
        """The status, headers and body of the answer."""
        if self.stream is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 30)
            self.stream = self.socket.makefile("rb")
        body = case.content()
        data = case.head(None if body is None else len(body)) + (body or b"")
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # refused by its header: the answer is there all the same
        status, headers = self._head()
        while status == 100:
            status, headers = self._head()
        length = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
        answer = b"" if case.method == "HEAD" else self.stream.read(length)
        if ("connection", "close") in [(n.lower(), v.lower()) for n, v in headers]:
            self.stream.close()
            self.socket.close()
            self.stream = None
        return status, headers, answer

    def _head(self):
        status = int(self.stream.readline().split()[1])
        headers = []
        while (line := self.stream.readline().rstrip(b"\r\n")) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name, value.strip()))
        return status, headers


def digest(data):
    return hashlib.sha256(data).hexdigest()
