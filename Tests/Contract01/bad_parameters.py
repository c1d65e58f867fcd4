"""Each parameter of each operator, given in every wrong way that its kind has."""

import wire

# Requests that are answered, to which one parameter is added: two rows of three, one for each path.
X = [[3, 1, 2], [0.5, 4, -1]]
BASES = {
    "mask": {"k": 2}, "values": {"k": 2}, "magnitude": {"k": 2}, "soft_topk": {"k": 1.5},
    "soft_topk_sorted": {"k": 2}, "top_kast": {"k_forward": 1}, "gaussian_k": {"density": 0.5},
}
PATHS = {"forward": "/topk", "vjp": "/topk/vjp", "jvp": "/topk/jvp"}
RAW_X = wire.numbers(wire.flat(X))
# values has the table of mask, magnitude all of it but largest.
ALIKE = ["values", "magnitude"]
COMMON = [
    ("dtype", "choice"), ("format", "choice"), ("index_dtype", "choice"), ("operator", "choice"),
    ("width", "width"),
]


def cases(operators):
    found = []
    for operator in operators:
        name = operator["name"]
        if name not in ALIKE:
            for parameter in operator["parameters"]:
                found += of(name, parameter)
        found += elsewhere(operator, operators)
        found += missing(name)
    for name, kind in COMMON:
        found += of("mask", {"name": name, "type": kind, "directions": ["forward"]})
    return found


def of(operator, parameter):
    """One parameter's mistakes, in JSON and in the query."""
    direction = parameter["directions"][0]
    found = []
    for index, (value, text) in enumerate(wrong(parameter)):
        name = f"parameter/{operator}/{parameter['name']}/{index}"
        if value is not None:
            members = dict(base(operator, direction))
            members.pop(parameter["name"], None)
            body = wire.dumps(members)[:-1] + f',"{parameter["name"]}":{value}}}'
            found.append(wire.as_json(name + "/json", body, PATHS[direction]))
        if text is not None:
            query, body = raw_base(operator, direction)
            query[parameter["name"]] = text
            found.append(wire.as_raw(name + "/raw", query, body, PATHS[direction]))
    return found


def base(operator, direction):
    members = dict(BASES[operator], operator=operator, x=X)
    if direction == "vjp":
        members["cotangent"] = [[1, 0, 0], [0, 1, 0]]
    return members


def raw_base(operator, direction):
    query = {"shape": [2, 3], "operator": operator, **BASES[operator]}
    return query, RAW_X + (RAW_X if direction != "forward" else b"")


def wrong(parameter):
    """Pairs of what JSON has and what a query has; None where there is nothing of the kind."""
    kind = parameter["type"]
    anything = [("null", ""), ("{}", "%7B%7D"), ('[{"a":1}]', None), ("[null]", None)]
    if kind in ("integer", "number"):
        found = anything + numeric(parameter)
    elif kind == "width":
        found = anything + [('"1"', "one"), ("true", "true"), ("0", "0"), ("-1", "-1"),
                            ("1.5", "1.5"), ("1", "1"), ("[1]", "1,1"), ("1e300", "1e300")]
    elif kind == "boolean":
        found = anything + [("1", "1"), ('"true"', "TRUE"), ("[]", "yes"), ("[true]", "true,true")]
    elif kind == "array":
        words = parameter["values"]
        found = anything + [
            ("1", "1"), (f'"{words[0]}"', "no"), ("[]", ","), ('["no"]', "no," + words[0]),
            (f'["{words[0]}","{words[0]}"]', f"{words[0]},{words[0]}"),
            (f'["{words[0]}",1]', f"{words[0]},"), (f'[["{words[0]}"]]', f"%20{words[0]}"),
            ("[" + ",".join(['"x"'] * 17) + "]", ",".join(["x"] * 17)),
        ]
    else:
        found = anything + [("1", "1"), ("true", "true"), ('"no such"', "no%20such"), ("[]", None),
                            ('"CSR"', "Mask"), ('["a"]', "a,b"), ('"' + "w" * 50 + '"', "w" * 50)]
    return found


def numeric(parameter):
    is_integer = parameter["type"] == "integer"
    found = [('"1"', "one"), ("true", "true"), ('"NaN"', "nan"), ('"Infinity"', "inf"),
             ("1e999", "1e999"), ('"4/3"', "4/3"), ("[]", ","), (None, "0x1"), (None, "+1"),
             (None, "%201"), (None, "1,")]
    low, high = parameter.get("minimum"), parameter.get("maximum")
    if is_integer:
        found += [("1.5", "1.5"), ("9007199254740993", "9007199254740993"), ("1e300", "1e300")]
    if low is not None:
        below = low - 1 if is_integer else (low * 0.5 if low > 0 else -1e-9)
        found += [(repr(below), repr(below)), ("-1", "-1")]
    if isinstance(high, (int, float)):
        found.append((repr(high * 1.01 + 1), repr(high * 1.01 + 1)))
    if high == "n":
        found.append(("4", "4"))
    good = low if low is not None else 1
    # One for each row: too few, too many, of the wrong kind, and one that is out of range.
    found += [(f"[{good}]", None), (f"[{good},{good},{good}]", f"{good},{good},{good}"),
              (f"[{good},-5]", f"{good},-5"), (f'[{good},"a"]', f"{good},a"),
              (f"[{good},null]", f"{good},"), (f"[[{good}],[{good}]]", None)]
    return found


def missing(operator):
    """Everything but one, and nothing at all."""
    members = base(operator, "forward")
    query, body = raw_base(operator, "forward")
    found = [
        wire.as_json(f"missing/{operator}/all/json", {"operator": operator}),
        wire.as_raw(f"missing/{operator}/all/raw", {"operator": operator}, b""),
    ]
    for name in BASES[operator]:
        left = {key: value for key, value in members.items() if key != name}
        found.append(wire.as_json(f"missing/{operator}/{name}/json", left))
        left = {key: value for key, value in query.items() if key != name}
        found.append(wire.as_raw(f"missing/{operator}/{name}/raw", left, body))
    left = {key: value for key, value in members.items() if key != "x"}
    found.append(wire.as_json(f"missing/{operator}/x/json", left))
    for direction in ["vjp", "jvp"]:
        found.append(wire.as_json(f"missing/{operator}/{direction}/json", members,
                                  PATHS[direction]))
        found.append(wire.as_raw(f"missing/{operator}/{direction}/raw", query, body,
                                 PATHS[direction]))
    return found


def elsewhere(operator, operators):
    """Parameters of another operator, direction or encoding."""
    found, name = [], operator["name"]
    own = [one["name"] for one in operator["parameters"] + operator["inputs"]]
    others = {one["name"] for other in operators for one in other["parameters"] + other["inputs"]}
    foreign = sorted(others - set(own))
    # The list of what there is, is the same for each of them.
    for other in foreign[:2] + (foreign[-1:] if name not in ALIKE else []):
        found += both(f"elsewhere/{name}/{other}", operator, other, "forward")
    for parameter in operator["parameters"]:
        for direction in {"forward", "vjp", "jvp"} & set(operator["directions"]):
            if direction not in parameter["directions"]:
                place = f"elsewhere/{name}/{parameter['name']}/{direction}"
                found += both(place, operator, parameter["name"], direction)
    for direction in operator["directions"]:
        for other in ["x", "n", "shape", "inputs", "cotangent", "cotangents", "tangent",
                      "tangents", "w", "residual"]:
            if name in ALIKE or direction == "jvp" and other in ("x", "n"):
                continue
            found += both(f"elsewhere/{name}/{direction}/{other}", operator, other, direction)
    return sorted(found, key=lambda case: case.id)


def both(id, operator, parameter, direction):
    """A valid request with this member, if it has none of that name; and in the query."""
    members = base(operator["name"], direction)
    if direction == "jvp":
        members["tangent"] = X
    query, body = raw_base(operator["name"], direction)
    found = []
    if parameter not in members:
        found.append(wire.as_json(id + "/json", {**members, parameter: 1}, PATHS[direction]))
    if parameter not in query:
        query[parameter] = 1
        found.append(wire.as_raw(id + "/raw", query, body, PATHS[direction]))
    return found
