#!/usr/bin/env python3
"""Sends what 0.1 was sent, and compares the answers field by field: see README.md."""

import base64
import fnmatch
import gzip
import json
import sys

import record
import wire

# What later issues change on purpose: a pattern of ids, and why.
ALLOWED = {
    "large/answer-too-large*": "beyond two limits; the operator's own is asked first now",
}
SHOWN_MAX = 20


def case_of(line):
    """The request of a recorded line."""
    method, target = line["request"].split(" ", 1)
    headers = [tuple(header.split(": ", 1)) for header in line.get("headers", [])]
    body = line.get("text", line.get("recipe"))
    if "base64" in line:
        body = base64.b64decode(line["base64"])
    return wire.Case(line["id"], target, headers, body, method)


def tree(answer):
    """An answer with its JSON read: the order of members is no part of the contract."""
    found = dict(answer)
    # The library's own errors have a second head where a body belongs, with the time in it.
    if answer.get("text", "").startswith("HTTP/1.1 "):
        del found["text"]
    if "json" in answer["headers"].get("Content-Type", "") and "text" in answer:
        found["text"] = json.loads(answer["text"])
    return found


def differences(expected, found, place=""):
    """Places at which two trees differ, with both values."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            yield from differences(
                expected.get(name, "nothing"), found.get(name, "nothing"), f"{place}.{name}")
    elif json.dumps(expected) != json.dumps(found):
        yield f"{place[1:]}: {json.dumps(expected)[:400]} became {json.dumps(found)[:400]}"


def main(binary):
    with record.served(binary) as (port, _):
        client = wire.Client(port)
        count, failures, allowed = 0, [], 0
        for file in sorted(record.FOLDER.glob("*.json.gz")):
            for line in json.loads(gzip.decompress(file.read_bytes())):
                count += 1
                found = list(differences(
                    tree(line["answer"]), tree(record.answered(client, case_of(line)))))
                if found and any(fnmatch.fnmatch(line["id"], id) for id in ALLOWED):
                    allowed += 1
                elif found:
                    failures.append((line["id"], found))
    for id, found in failures[:SHOWN_MAX]:
        print(id, *found, sep="\n    ")
    print(f"{count} requests, {len(failures)} answered otherwise than by 0.1, {allowed} allowed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: replay.py path/to/topkd")
    main(sys.argv[1])
