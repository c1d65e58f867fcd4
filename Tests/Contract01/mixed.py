"""Several mistakes in one request: which of them is told is a part of the answer."""

import itertools

import wire
from wire import JSON, RAW, Case

# Each is a member that is set, taken away (None), or put there twice.
JSON_MISTAKES = {
    "unknown": ("zzz", "1"), "misplaced": ("n", "1"), "stack": ("cotangent", "[1]"),
    "ragged": ("x", "[[3,1,2],[1,2]]"), "nan": ("x", '[[3,1,2],[1,"NaN",2]]'), "no-x": ("x", None),
    "big": ("x", "[[3,1,2],[1,1e39,2]]"), "deep": ("x", "[[[[[1]]]]]"), "huge": ("x", "[1e999]"),
    "short": ("x", '[[3,1,2],["-Infinity","-Infinity",1]]'), "three": ("x", "[[[1]]]"),
    "k-out": ("k", "4"), "k-word": ("k", '"2"'), "k-rows": ("k", "[1,2,3]"), "no-k": ("k", None),
    "operator": ("operator", '"max"'), "operator-type": ("operator", "1"),
    "dtype": ("dtype", '"int8"'), "format": ("format", "1"), "width": ("width", "2"),
    "lambda": ("lambda", "[0.1,-1]"), "p": ("p", "1"), "solver": ("solver", '"dykstra"'),
    "w": ("w", "[1,1]"), "index": ("index_dtype", "null"), "largest": ("largest", '"no"'),
}
QUERY_MISTAKES = {
    "unknown": ("zzz", "1"), "misplaced": ("x", "1"), "stack": ("cotangents", "1"),
    "escape": ("q", "%zz"), "no-n": ("n", None), "n-zero": ("n", "0"), "n-other": ("n", "4"),
    "shape": ("shape", "1,1,2"), "k-out": ("k", "4"), "k-word": ("k", "two"), "no-k": ("k", None),
    "k-rows": ("k", "1,2,3"), "operator": ("operator", "max"), "dtype": ("dtype", "int8"),
    "float64": ("dtype", "float64"), "format": ("format", "coo"), "width": ("width", "2"),
    "lambda": ("lambda", "0.1,-1"), "p": ("p", "1"), "solver": ("solver", "dykstra"),
    "inputs": ("inputs", "residual"), "w": ("w", "1"),
}
HEADER_MISTAKES = {
    "type": ("Content-Type", "text/plain"), "accept": ("Accept", "text/html"),
    "coding": ("Content-Encoding", "br"), "timeout": ("Topk-Timeout-Ms", "0"),
    "length": ("Content-Length", "-1"), "transfer": ("Transfer-Encoding", "chunked"),
    "large": ("Content-Length", "300000000"), "host": ("Host ", "a"),
    "gzip": ("Content-Encoding", "gzip"),
}
LINES = {
    "path": ("POST", "/nothing"), "method": ("PUT", "/topk"), "query": ("POST", "/topk?k=1"),
    "escape": ("POST", "/topk?%zz=1"), "get": ("GET", "/topk"),
}


def cases():
    return json() + raw() + stacks() + headers()


def json():
    """Every two, in both orders: the one that comes first is not always the one that is told."""
    found = []
    for (a, one), (b, other) in itertools.permutations(JSON_MISTAKES.items(), 2):
        if one[0] == other[0] or (a > b and not interesting(a, b)):
            continue
        members = [("x", "[[3,1,2],[1,2,3]]"), ("k", "2")]
        names = [one[0], other[0]]
        kept = [member for member in members if member[0] not in names]
        # The mistakes come first in one order, and last in the other.
        mistakes = [(name, text) for name, text in [one, other] if text is not None]
        members = mistakes + kept if a < b else kept + mistakes
        body = "{" + ",".join(f'"{name}":{text}' for name, text in members) + "}"
        found.append(wire.as_json(f"mixed/json/{a}+{b}", body))
    for a, (name, text) in JSON_MISTAKES.items():
        rest = "" if name == "x" else ',"x":[[3,1,2],[1,2,3]]'
        rest += "" if name == "k" or text is None else ',"k":2'
        first = f'"{name}":{text}' if text is not None else '"p":2'
        found.append(wire.as_json(f"mixed/json/{a}+cut", "{" + first + rest))
        found.append(wire.as_json(f"mixed/json/{a}+twice", "{" + first + rest + "," + first + "}"))
        query = Case(f"mixed/json/{a}+query", "/topk?p=2", [("Content-Type", JSON)],
                     "{" + first + rest + "}")
        found.append(query)
    return found


def interesting(a, b):
    """Those that a reader which goes through the text meets on its way."""
    met = ["unknown", "misplaced", "ragged", "nan", "big", "deep", "huge", "operator", "dtype",
           "k-out"]
    return a in met and b in met


def raw():
    found = []
    good = wire.numbers([3, 1, 2, 1, 2, 3])
    bad = wire.numbers([3, 1, 2, 1, float("nan"), 3])
    for (a, one), (b, other) in itertools.combinations(QUERY_MISTAKES.items(), 2):
        if one[0] == other[0]:
            continue
        query = {"n": "3", "k": "2", one[0]: one[1], other[0]: other[1]}
        found.append(wire.as_raw(f"mixed/raw/{a}+{b}", kept(query), good))
    for a, (name, text) in QUERY_MISTAKES.items():
        query = kept({"n": "3", "k": "2", name: text})
        found.append(wire.as_raw(f"mixed/raw/{a}+nan", query, bad))
        found.append(wire.as_raw(f"mixed/raw/{a}+length", query, good[:-1]))
        twice = "&".join(f"{key}={value}" for key, value in query.items()) + "&k=1&k=1"
        found.append(wire.as_raw(f"mixed/raw/{a}+twice", twice, good))
    return found


def kept(query):
    return {name: value for name, value in query.items() if value is not None}


def stacks():
    """A bad row and a bad cotangent, in either order."""
    found = []
    for i, (x, c) in enumerate(itertools.product(
            ["[1,2]", '[1,"NaN"]', "[1,1e39]", "[[1,2],[3]]", "1"],
            ["[1,2]", '[1,"NaN"]', "[1]", "[1,null]", "[[1,2],[3]]", "1"])):
        for path, name in [("/topk/vjp", "cotangent"), ("/topk/jvp", "tangent")]:
            if path == "/topk/jvp" and i % 4:
                continue
            found.append(wire.as_json(f"mixed/{name}/{i}/x-first",
                                      f'{{"x":{x},"{name}":{c},"k":1}}', path))
            found.append(wire.as_json(f"mixed/{name}/{i}/x-last",
                                      f'{{"k":3,"{name}":{c},"x":{x}}}', path))
    return found


def headers():
    found = []
    body = '{"x":[3,1,2],"k":4}'
    for (a, one), (b, other) in itertools.combinations(HEADER_MISTAKES.items(), 2):
        lines = {"Content-Type": JSON}
        lines.update([one, other])
        found.append(Case(f"mixed/header/{a}+{b}", "/topk", list(lines.items()), sent(lines, body)))
    for a, one in HEADER_MISTAKES.items():
        for b, (method, target) in LINES.items():
            lines = {"Content-Type": JSON, one[0]: one[1]}
            found.append(Case(f"mixed/line/{a}+{b}", target, list(lines.items()),
                              sent(lines, body), method))
        lines = {"Content-Type": RAW, one[0]: one[1]}
        found.append(Case(f"mixed/line/{a}+body", "/topk?n=3&k=4&q=1", list(lines.items()),
                          sent(lines, wire.numbers([1, 2]))))
    return found


def sent(lines, body):
    """Nothing behind a length that is none: it would be taken for the next request."""
    return "" if {"Content-Length", "Transfer-Encoding"} & set(lines) else body
