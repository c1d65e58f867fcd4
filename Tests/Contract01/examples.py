"""The contract's examples, as JSON and as raw numbers."""

import wire
from wire import JSON, RAW


def cases(contract, operators):
    found = []
    for path in ["/topk", "/topk/vjp", "/topk/jvp"]:
        content = contract["paths"][path]["post"]["requestBody"]["content"][JSON]
        for name, example in content["examples"].items():
            value, place = example["value"], f"example{path}/{name}"
            found.append(wire.as_json(place, value, path))
            found.append(wire.as_json(place + "/to-raw", value, path, RAW))
            # Only JSON has room for w.
            if "w" not in value:
                query, body = raw(value, operators)
                found.append(wire.as_raw(place + "/raw", query, body, path))
                found.append(wire.as_raw(place + "/raw-to-json", query, body, path, JSON))
    return found + problems(contract)


def problems(contract):
    """The examples of refusals, but for those that need a service in a special state."""
    found = []
    for name, response in contract["components"]["responses"].items():
        content = response.get("content", {}).get("application/problem+json", {})
        for example, problem in content.get("examples", {}).items():
            request = problem["x-request"]
            if "while" in request:
                continue
            method = request.get("method", "POST")
            headers = {"Content-Type": JSON} if method == "POST" else {}
            headers.update(request.get("headers", {}))
            body = request.get("body")
            if body is not None and not isinstance(body, str):
                body = wire.dumps(body)
            found.append(wire.Case(
                f"problem/{name}/{example}", request.get("path", "/topk"),
                [(n, str(v)) for n, v in headers.items()], body, method))
    return found


def shape(value):
    return [len(value)] + shape(value[0]) if isinstance(value, list) and value else []


def raw(value, operators):
    """The query and body that say the same as an example."""
    name = value.get("operator", "mask")
    operator = next(one for one in operators if one["name"] == name)
    inputs = [one["name"] for one in operator["inputs"] if one["name"] in value]
    dtype, x = value.get("dtype", "float32"), shape(value["x"])
    query = {"shape": x}
    body = wire.numbers(floats(value["x"]), dtype)
    if inputs:
        query["inputs"] = inputs
        body = wire.padded(body)
    for one in inputs:
        if one == "residual":
            body += wire.padded(wire.numbers(floats(value[one]), dtype))
            continue
        lists = [value[one]] if len(x) == 1 else value[one]
        ends = [sum(len(row) for row in lists[:i]) for i in range(len(lists) + 1)]
        body += wire.padded(wire.integers(ends))
        body += wire.padded(wire.integers(wire.flat(value[one])))
    for stack in ["cotangent", "tangent"]:
        if stack in value:
            axes = len(x) + (1 if name == "soft_topk_sorted" else 0)
            if len(shape(value[stack])) > axes:
                query[stack + "s"] = len(value[stack])
            body += wire.numbers(floats(value[stack]), dtype)
    arrays = ["x", "cotangent", "tangent", *inputs]
    query.update((key, one) for key, one in value.items() if key not in arrays)
    return query, body


def floats(value):
    return [float(one) for one in wire.flat(value)]
