#!/usr/bin/env python3
"""Records what a topkd answers, for replay.py: see README.md."""

import base64
import collections
import contextlib
import gzip
import json
import pathlib
import re
import subprocess
import sys
import threading
import urllib.request

import bad_headers
import bad_json
import bad_parameters
import bad_raw
import examples
import good
import large
import mixed
import pages
import wire

FOLDER = pathlib.Path(__file__).parent / "answers"
# Longer answers are kept as a digest: nobody reads them.
WHOLE_BYTES_MAX = 1200


@contextlib.contextmanager
def served(binary):
    """A service of this program, on a free port: the port and the URL."""
    process = subprocess.Popen(
        [binary, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    try:
        line = process.stdout.readline()
        url = re.search(r"http://[^ ]*:([0-9]+)", line)
        if url is None:
            sys.exit(f"no service: {line}")
        # What it says later must not fill the pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield int(url[1]), url[0]
    finally:
        process.terminate()
        process.wait()


def get(url, path):
    with urllib.request.urlopen(url + path) as answer:
        return json.load(answer)


def record(port, url):
    operators = get(url, "/operators")["operators"]
    kinds = {
        "examples": examples.cases(get(url, "/openapi.json"), operators),
        "good": good.cases(operators),
        "large": large.cases(),
        "parameters": bad_parameters.cases(operators),
        "json": bad_json.cases(),
        "raw": bad_raw.cases(),
        "headers": bad_headers.cases() + pages.cases(),
        "mixed": mixed.cases(),
    }
    FOLDER.mkdir(exist_ok=True)
    client, seen, codes = wire.Client(port), set(), collections.Counter()
    for kind, cases in kinds.items():
        statuses, lines = collections.Counter(), []
        for case in cases:
            if case.id in seen:
                sys.exit(f"{case.id} is there twice")
            seen.add(case.id)
            answer = answered(client, case)
            if answer != answered(client, case):
                sys.exit(f"{case.id} is not answered the same when it is sent again")
            statuses[answer["status"]] += 1
            codes[code(answer)] += 1
            line = dict(asked(case), answer=answer)
            lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
        text = "[\n" + ",\n".join(lines) + "\n]\n"
        # Without a time in it, so that the same answers are the same file.
        packed = gzip.compress(text.encode(), 9, mtime=0)
        (FOLDER / f"{kind}.json.gz").write_bytes(packed)
        counts = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
        print(f"{kind}: {len(cases)} requests, {len(packed)} bytes; {counts}")
    print(f"{len(seen)} requests;", ", ".join(f"{c} {n}" for c, n in sorted(codes.items())))


def asked(case):
    """A request as the fixture has it."""
    line = {"id": case.id, "request": f"{case.method} {case.target}"}
    if case.headers:
        line["headers"] = [f"{name}: {value}" for name, value in case.headers]
    if isinstance(case.body, dict):
        line["recipe"] = case.body
    elif case.body is not None:
        line.update(written(case.content()))
    return line


def written(data):
    """Bytes as text if they are, else in base64."""
    try:
        text = data.decode()
        if "\0" not in text:
            return {"text": text}
    except UnicodeDecodeError:
        pass
    return {"base64": base64.b64encode(data).decode()}


def answered(client, case):
    status, headers, body = client.send(case)
    kept = {}
    type = next((v for n, v in headers if n.lower() == "content-type"), "")
    for name, value in headers:
        is_kept = name.lower() in wire.KEPT or name.lower().startswith("topk-")
        if is_kept or (name.lower() == "content-length" and type == wire.RAW):
            kept[name] = value
    answer = {"status": status, "headers": kept}
    path = case.target.partition("?")[0]
    # A library's own words, and what changes with each version or moment, are no contract. Where
    # libmicrohttpd refuses a length, a second head with a Date follows the first one.
    is_foreign = type.startswith("text/html") or body.startswith(b"HTTP/1.1 ")
    if is_foreign or case.method == "HEAD" or path in pages.UNREAD:
        return answer
    # Made up anew where the client sends none that is usable.
    body = re.sub(rb'"request_id":"[^"]*"', f'"request_id":"{wire.REQUEST_ID}"'.encode(), body)
    if len(body) > WHOLE_BYTES_MAX and path != "/operators":
        return dict(answer, bytes=len(body), sha256=wire.digest(body))
    return dict(answer, **written(body))


def code(answer):
    if "problem" not in answer["headers"].get("Content-Type", ""):
        return "none"
    if "text" not in answer:
        return "long"
    return json.loads(answer["text"])["code"]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: record.py path/to/topkd")
    with served(sys.argv[1]) as (port, url):
        record(port, url)
