"""Requests that their header, or the coding of their body, gets refused."""

import gzip
import zlib

import wire
from wire import JSON, RAW, Case

BODY = '{"x":[3,1,2],"k":1,"lambda":0}'
TYPE = [("Content-Type", JSON)]


def cases():
    return types() + accepts() + timeouts() + paths() + lengths() + others() + encoded()


def numbered(kind, headers, body=BODY, target="/topk", method="POST"):
    return [Case(f"{kind}/{i}", target, h, body, method) for i, h in enumerate(headers)]


def types():
    values = [
        "text/plain", "application/x-www-form-urlencoded", "Application/JSON; charset=utf-8",
        "application/json;", " application/json ", "application/json, text/html", "*/*", "json",
        "application/jsonx", "application/problem+json", "", "application/octet-stream; a=b",
        "application/json charset=utf-8", ";application/json", "multipart/form-data", "t" * 300,
        "application/json\t", "APPLICATION/OCTET-STREAM", "application/\xe9",
    ]
    found = numbered("type", [[]] + [[("Content-Type", value)] for value in values])
    found += numbered("type-twice", [TYPE + [("Content-Type", RAW)], TYPE + TYPE,
                                     [("Content-Type", RAW)] + TYPE])
    raw = [[("Content-Type", value)] for value in values[:8]]
    return found + numbered("type-raw", raw, wire.numbers([1, 2]), "/topk?n=2&k=1")


def accepts():
    values = [
        "text/html", "*/*", "application/*", "application/json", "application/octet-stream", "",
        "application/json;q=0", "application/json;q=0, */*", "*/*;q=0", "text/html, */*;q=0.1",
        "application/json;q=0.5, application/octet-stream",
        "application/octet-stream;q=0.1,*/*;q=0.5",
        "application/json;q=0.5,application/octet-stream;q=0.5", "application/json;q=abc",
        "application/json;q=2", "application/json;q=-1", "application/*;q=0, application/json", ",",
        "application/octet-stream;q=0.001", "APPLICATION/OCTET-STREAM", "text/html;q=1,", "json",
        "application/json;charset=utf-8",
        "application/json ; q=0.2 , application/octet-stream ; q=0.3",
        "application/problem+json", "a/b," * 500, "application/*;q=0.5,*/*;q=0",
        "application/octet-stream;v=1;q=0.1,application/json;q=0.05",
    ]
    found = numbered("accept", [TYPE + [("Accept", value)] for value in values])
    found += numbered("accept-twice", [TYPE + [("Accept", "text/html"), ("Accept", RAW)],
                                       TYPE + [("Accept", RAW), ("Accept", JSON)]])
    raw = [[("Content-Type", RAW), ("Accept", value)] for value in values]
    return found + numbered("accept-raw", raw, wire.numbers([1, 2]), "/topk?n=2&k=1")


def timeouts():
    values = ["0", "-1", "1.5", "abc", "", " ", "86400000", "86400001", "1e3", "+5000", " 5000",
              "5000 ms", "0x1000", "9" * 30, "05000", "5000,5000", "w" * 60, "60000\t"]
    found = numbered("timeout", [TYPE + [("Topk-Timeout-Ms", value)] for value in values])
    twice = [("Topk-Timeout-Ms", "5000"), ("Topk-Timeout-Ms", "6000")]
    return found + numbered("timeout-twice", [TYPE + twice])


def paths():
    targets = ["/", "/nothing", "/topk/", "/topk/vjp/", "/topk/hvp", "/TOPK", "//topk",
               "/topk//vjp",
               "/%74opk", "/topk%2Fvjp", "/topk/../topk", "/topk;a", "/topk?", "/topk#a",
               "/" + "p" * 300,
               "/topk%00", "/t%C3%B6pk", "/topk%zz", "/topk?k=1", "/topk?x", "/topk?%zz=1",
               "/topk?n=1",
               "/topk?k=1&k=1", "/topk?unknown=1", "http://other/topk", "*", "topk"]
    found = [Case(f"path/{i}", one, TYPE, BODY) for i, one in enumerate(targets)]
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "post", "FOO",
                   "M" * 60]:
        for path in ["/topk", "/topk/vjp", "/nothing"]:
            found.append(Case(f"method/{method[:9]}{path}", path, TYPE, BODY, method))
    found.append(Case("method/GET/no-body", "/topk?n=2&k=1", [], None, "GET"))
    return found


def lengths():
    """The recorder and the test send nothing behind these but the body, which may not be read."""
    found = []
    values = ["-1", "+30", "0x1e", "30.0", "30, 30", "", "a", "3 0", "1e1", "300000000",
              "4294967326",
              "999999999999999999", "9223372036854775808", "18446744073709551646", "9" * 40]
    for i, value in enumerate(values):
        found.append(Case(f"length/{i}", "/topk", TYPE + [("Content-Length", value)], ""))
        octets = [("Content-Type", RAW), ("Content-Length", value)]
        found.append(Case(f"length/{i}/raw", "/topk?n=2&k=1", octets, ""))
    found.append(Case("length/none", "/topk", TYPE, None))
    found.append(Case("length/none/raw", "/topk?n=2&k=1", [("Content-Type", RAW)], None))
    found.append(Case("length/zeros", "/topk", TYPE + [("Content-Length", "00030")], BODY))
    two = [("Content-Length", "30"), ("Content-Length", "30")]
    found.append(Case("length/twice", "/topk", TYPE + two, BODY))
    for i, value in enumerate(["chunked", "identity", "gzip", "gzip, chunked", "", "xchunked"]):
        found.append(Case(f"transfer/{i}", "/topk", TYPE + [("Transfer-Encoding", value)], ""))
        both = TYPE + [("Content-Length", "30"), ("Transfer-Encoding", value)]
        found.append(Case(f"transfer/{i}/length", "/topk", both, BODY))
    return found


def others():
    headers = [
        [("Host", "")], [("Host", "a"), ("Host", "b")], [("X Y", "z")], [("X(Y)", "z")],
        [("X", "a\1b")], [("X", "a\x7f")], [("X", "\xe9")], [("X-Request-Id", "")], [("X", "")],
        [("X-Request-Id", "a b")], [("X-Request-Id", "<script>")], [("X-Request-Id", "i" * 300)],
        [("Connection", "close")], [("Connection", "keep-alive")], [("Connection", "purple")],
        [("Expect", "100-continue")], [("Expect", "else")], [("Authorization", "Bearer x")],
        [("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")], [("Origin", "http://other")],
        [("Accept-Encoding", "gzip")], [("Range", "bytes=0-1")], [("If-None-Match", "*")],
        [("Topk-Unknown", "1")], [("Cookie", "a=b")], [("X ", "y")], [(" X", "y")],
    ]
    return numbered("header", [TYPE + one for one in headers]) + numbered(
        "header-bad-body", [TYPE + one for one in headers[7:18]], "{")


def encoded():
    """gzip and deflate: as they should be, damaged, cut, followed by more, and others."""
    text = BODY.encode()
    raw = wire.numbers([3, 1, 2, 0.5])
    forms = {"gzip": gzip.compress(text, mtime=0), "deflate": zlib.compress(text)}
    found = []

    def add(name, coding, body, type=JSON, target="/topk"):
        headers = [("Content-Type", type), ("Content-Encoding", coding)]
        found.append(Case(f"encoded/{name}", target, headers, body))

    for coding, good in forms.items():
        broken, late = bytearray(good), bytearray(good)
        broken[len(good) // 2] ^= 0xFF
        late[-1] ^= 0xFF
        for i, body in enumerate([good, b"", b"\0", text, bytes(broken), bytes(late), good[:-1],
                                  good + b"\0", good + good[:-1], good + good, good[:9], good[:2]]):
            add(f"{coding}/{i}", coding, body)
        add(f"{coding}/upper", coding.upper(), good)
        add(f"{coding}/spaces", f" {coding} ", good)
        pack = zlib.compress if coding == "deflate" else lambda one: gzip.compress(one, mtime=0)
        for i, one in enumerate([raw, raw[:-1], b"", raw + b"\0\0\xc0\x7f" + raw[:12],
                                 bytes(64_000)]):
            add(f"{coding}/raw/{i}", coding, pack(one), RAW, "/topk?n=4&k=1&lambda=0")
        for i, one in enumerate([b"{", b"", BODY.encode() + b"x", b'{"x":[1],"k":2}']):
            add(f"{coding}/bad/{i}", coding, pack(one))
        add(f"{coding}/query", coding, pack(raw), RAW, "/topk?n=4&k=5")
        add(f"{coding}/broken-and-query", coding, bytes(broken), RAW, "/topk?n=4&k=1&q=1")
        add(f"{coding}/broken-and-bad-query", coding, bytes(broken), RAW, "/topk?n=4&%zz=1")
    parts = b"".join(gzip.compress(one, mtime=0) for one in [text[:9], b"", text[9:], b""])
    add("gzip/members", "gzip", parts)
    add("deflate/without-header", "deflate", zlib.compress(text)[2:-4])
    for i, coding in enumerate(["", "identity", "br", "gzip, deflate", "gzip gzip", "x-gzip",
                                "zstd",
                                "gzip;q=1", "identity, identity", "e" * 60]):
        add(f"other/{i}", coding, text)
        add(f"other/{i}/packed", coding, forms["gzip"])
    return found
