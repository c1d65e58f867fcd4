#!/usr/bin/env python3
"""openapi.yaml against the service, by schemathesis: contract.py PROGRAM [--cases N].

Requests are generated from the schemas: a part as they come, a part made to fit (k <= n, rows of one
length, cotangents and inputs of the right shape, real binary bodies, parameters of their operator
alone), a part made wrong. Every answer has to be one that the contract has, to the last member and
header. What fits must be answered 200, or 422 for what no schema says: values that exclude each
other. See README.md.
"""

import argparse
import collections
import json
import math
import struct
import subprocess
import sys
import urllib.request
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks as openapi_checks
from schemathesis.checks import not_a_server_error

ROOT = Path(__file__).resolve().parents[2]
JSON, RAW = "application/json", "application/octet-stream"
CHECKS = [
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
# What no schema can say of requests that fit.
EXCUSED = {
    "incompatible_parameters", "too_few_finite_entries", "width_too_small", "out_of_range",
    "no_such_direction", "answer_too_large",
}
FORMATS = {"float32": "f", "float64": "d", "float16": "e"}
counts = collections.Counter()


def finite(value, dtype):
    """A number that the type can hold, at most 1e4 in magnitude."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return 1.0
    return max(-1e4, min(1e4, float(value)))


def rows_of(x):
    """Whether x is one row, and its rows."""
    is_single = not isinstance(x[0], list)
    return is_single, [x] if is_single else x


def fit(body, operators, path):
    """A JSON request of which all parts have the right sizes."""
    op = operators[body.get("operator", "mask")]
    dtype = body.get("dtype", "float32")
    is_single, rows = rows_of(body["x"])
    n = min(len(row) for row in rows)
    takes_infinity = op["accepts_negative_infinity"]
    x = [
        [v if v == "-Infinity" and takes_infinity else finite(v, dtype) for v in row[:n]]
        for row in rows
    ]
    body = {**body, "x": x[0] if is_single else x}
    fit_parameters(body, op, n, len(rows))
    columns = body["k"] if op["name"] == "soft_topk_sorted" else None
    entry = [0.5] * columns if columns else 1.0
    stack = [[entry for _ in range(n)] for _ in rows]
    for name in ("cotangent", "tangent"):
        if name in body:
            body[name] = stack[0] if is_single else stack
    for name in [spec["name"] for spec in op["inputs"] if spec["name"] in body]:
        if name.endswith("_mask"):
            lists = [[0] for _ in rows]
        elif name == "w":
            lists = [sorted([0.5] * n, reverse=True) for _ in rows]
        else:
            lists = [[0.25] * n for _ in rows]
        body[name] = lists[0] if is_single else lists
    return body


def fit_parameters(body, op, n, row_count):
    """Counts at most n, lists with an entry for each row."""
    for spec in op["parameters"]:
        value = body.get(spec["name"])
        if isinstance(value, list) and spec["type"] != "array":
            value = [value[i % len(value)] for i in range(row_count)]
        if spec.get("maximum") == "n" and value is not None:
            value = [min(v, n) for v in value] if isinstance(value, list) else min(value, n)
        if value is not None:
            body[spec["name"]] = value


def raw(case, operators, data):
    """A query of one operator's parameters and a body of the sizes that it says."""
    query = dict(case.query or {})
    name = query.get("operator", "mask")
    op = operators.get(name) or operators["mask"]
    direction = case.path.rsplit("/", 1)[-1].replace("topk", "forward")
    if direction not in op["directions"]:
        op = operators["mask"]
    n, row_count = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 4))
    specs = [spec for spec in op["parameters"] if direction in spec["directions"]]
    kept = {spec["name"]: query[spec["name"]] for spec in specs if spec["name"] in query}
    if op["name"] == "top_kast" and "density_forward" not in kept:
        kept.setdefault("k_forward", 1)
    for spec in specs:
        if spec["required"] and op["name"] != "top_kast":
            kept.setdefault(spec["name"], spec["minimum"])
    fit_parameters(kept, op, n, row_count)
    dtype = data.draw(st.sampled_from(list(FORMATS)))
    kept.update(operator=op["name"], dtype=dtype, shape=[row_count, n])
    for extra in ("format", "index_dtype"):
        if extra in query:
            kept[extra] = query[extra]
    count = row_count * n
    if direction != "forward":
        per_row = n
        if op["name"] == "soft_topk_sorted":
            per_row = n * (kept["k"][0] if isinstance(kept["k"], list) else kept["k"])
        stack = data.draw(st.integers(1, 3))
        kept["cotangents" if direction == "vjp" else "tangents"] = stack
        count += stack * row_count * per_row
    numbers = data.draw(
        st.lists(st.floats(-100, 100, width=16), min_size=count, max_size=count))
    case.query = {key: spell(value) for key, value in kept.items()}
    case.body = struct.pack(f"<{count}{FORMATS[dtype]}", *numbers)


def spell(value):
    """A parameter as a query has it."""
    if isinstance(value, list):
        return ",".join(spell(v) for v in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def validate(case, url, is_fitted):
    """Sends a case, checks the answer, counts it."""
    case.headers = {
        key: value for key, value in (case.headers or {}).items() if key == "X-Request-Id"
    }
    response = case.call(base_url=url)
    case.validate_response(response, checks=CHECKS)
    counts[case.path, response.status_code] += 1
    if is_fitted and response.status_code != 200:
        code = response.json()["code"]
        assert response.status_code == 422 and code in EXCUSED, response.text
        counts["fitted", code] += 1
    elif is_fitted:
        counts["fitted", 200] += 1


def test(operation, url, operators, cases, mode):
    """One operation: `cases` requests as they are generated, and as many that fit."""

    @seed(20261121)
    @settings(
        max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink], print_blob=False)
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def run(case, data):
        is_post = case.method.upper() == "POST"
        is_fitted = mode == GenerationMode.POSITIVE and is_post and data.draw(st.booleans())
        if is_post and case.media_type == JSON and mode == GenerationMode.POSITIVE:
            case.query = {}
            if is_fitted:
                case.body = fit(case.body, operators, case.path)
        elif is_post and case.media_type == RAW:
            if is_fitted:
                raw(case, operators, data)
            elif not isinstance(case.body, bytes):
                case.body = data.draw(st.binary(max_size=64))
        validate(case, url, is_fitted)

    run()


def main():
    """Serves on a free port, and tests that."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="topkd, built")
    parser.add_argument("--cases", type=int, default=400, help="for each POST, of each kind")
    args = parser.parse_args()
    command = [args.program, "serve", "--port", "0", "--access-log", "off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            run(service.stdout.readline().split()[-1], args.cases)
        finally:
            service.terminate()


def run(url, case_count):
    """All operations; exits with 1 at the first answer that the contract does not have."""
    with urllib.request.urlopen(url + "/operators") as reply:
        operators = {op["name"]: op for op in json.load(reply)["operators"]}
    schemathesis.openapi.media_type(RAW, st.binary(max_size=64))
    schema = schemathesis.openapi.from_path(ROOT / "openapi.yaml")
    for result in schema.get_all_operations():
        operation = result.ok()
        is_post = operation.method.upper() == "POST"
        cases = case_count if is_post else 5
        test(operation, url, operators, cases, GenerationMode.POSITIVE)
        if is_post:
            test(operation, url, operators, case_count // 2, GenerationMode.NEGATIVE)
    total = sum(count for key, count in counts.items() if key[0] != "fitted")
    for key, count in sorted(counts.items(), key=str):
        print(*key, count)
    answered = counts["fitted", 200]
    fitted = sum(count for key, count in counts.items() if key[0] == "fitted")
    print(f"{total} cases; of {fitted} made to fit, {answered} were answered 200")
    if answered < fitted / 4:
        sys.exit("what is made to fit mostly does not")


if __name__ == "__main__":
    main()
