"""Raw bodies that are not what their query says, and queries that say nothing."""

import wire

NAN, INF = float("nan"), float("inf")


def cases():
    found, counts = [], {}
    for kind, path, query, body in lengths() + queries() + numbers() + further():
        counts[kind] = counts.get(kind, 0) + 1
        found.append(wire.as_raw(f"raw/{kind}/{counts[kind]}", query, body, path))
    return found


def lengths():
    found = []
    for query, sizes in [
        ("n=4&k=1", [0, 3, 15, 17, 24]), ("n=1&k=1", [0, 3, 5]), ("shape=2,4&k=1", [0, 16, 31, 40]),
        ("shape=4&k=1", [0, 15, 32]), ("n=1&k=1&dtype=float16", [1, 3]),
        ("n=2&k=1&dtype=bfloat16", [2, 6]), ("n=2&k=1&dtype=float64", [8, 12, 24]),
        ("k=1", [8]), ("", [8]), ("n=1", [4]),
    ]:
        found += [("length", "/topk", query, bytes(size)) for size in sizes]
    for path, name in [("/topk/vjp", "cotangents"), ("/topk/jvp", "tangents")]:
        for query, sizes in [
            ("n=4&k=1", [16, 48, 31]), (f"n=4&k=1&{name}=2", [32, 47]), ("shape=4&k=1", [16, 64]),
            (f"shape=2,4&k=1&{name}=2", [64, 95, 97]), (f"n=2&k=1&{name}=0", [8]),
            (f"n=2&k=1&{name}=-1", [8]), (f"n=2&k=1&{name}=a", [8]),
            (f"n=2&k=1&{name}=65536", [16]),
            (f"n=2&k=1&{name}=65537", [16]), (f"n=2&k=1&{name}=", [16]),
            (f"n=2147483647&k=1&{name}=65536", [16]),
            (f"shape=1099511627776,1&k=1&{name}=65536", [16]),
        ]:
            found += [("stack", path, query, bytes(size)) for size in sizes]
    return found


def queries():
    shapes = [
        "n=2147483648", "n=2147483647", "n=999999999999999999999999999999", "n=-4", "n=0", "n=1.0",
        "n=+1", "n=%201", "n=1%20", "n=1e0", "n=0x1", "n=", "n=1,1", "n=01", "n=1&shape=1",
        "shape=", "shape=0", "shape=1,0", "shape=0,1", "shape=1,1,1", "shape=1,", "shape=,1",
        "shape=a", "shape=1;1", "shape=1%2C1", "shape=[1]", "shape=1099511627776,2147483647",
        "shape=1099511627776,1", "shape=1099511627777,1", "shape=-1,1", "N=1", "Shape=1",
        "shape=" + "1" * 60,
    ]
    found = [("shape", "/topk", one + "&k=1", bytes(4)) for one in shapes]
    rest = [
        "k", "k=1&k=1", "k=1&k=2", "k=%zz", "k=%f", "k=%", "k=%ff", "k=%C3%28", "%6b=1", "k=%31",
        "k=1&%6b=1", "k=+1", "=1", "k=1&=1", "k=1&&p=2", "&k=1", "k=1&", "k==1", "k=1=2", "k=1&q",
        "k=1&q=1", "k=1&K=1", "k=1&w=1,0", "k=1&x=1", "k=1&cotangent=1", "k=1&tangent=1",
        "k=1&cotangents=1", "k=1&tangents=1", "k=1&inputs=w", "k=1&inputs=", "k=1&no%20such=1",
        "k=1&%00=1", "k=1&a%0d%0aSet-Cookie=b", "k=1;p=2", "k=1&p=4%2F3", "k=1&p=4/3",
        "k=1&operator=mask&operator=mask", "k=1&operator=", "k=1&operator=%6dask", "k=1&lambda=-0",
        "k=1&lambda=1e-400", "k=1&lambda=1e400", "k=1&lambda=.5", "k=1&lambda=5.", "k=1&lambda=1_0",
        "k=1&lambda=1,1", "k=1&lambda=1,", "k=2,1", "k=2&width=1", "k=2&format=padded&width=1",
        "k=2&format=padded&width=3", "k=2&format=padded&width=2&lambda=0", "k=1&largest=1",
        "k=1&largest=False", "k=1&short_rows=", "k=1#2", "k=1?p=2", "k=1&p=2&solver=dykstra",
        "k=1&solver=dykstra", "&".join(f"a{i}=1" for i in range(65)),
        "&".join(f"a{i}=1" for i in range(64)), "&".join(["k=1"] + [f"a{i}=1" for i in range(64)]),
        "k=1&q=" + "1" * 16500, "k=1&" + "q" * 300 + "=1", "k=1&operator=" + "o" * 1200,
    ]
    found += [("query", "/topk", "n=2&" + one, wire.numbers([1, 2])) for one in rest]
    return found


def numbers():
    found = []
    for dtype in wire.SIZES:
        for bad in [NAN, INF, -INF]:
            for index in [0, 4]:
                x = [1.0, 2, 3, 4, 5, 6]
                x[index] = bad
                data = wire.numbers(x, dtype)
                found.append(("number", "/topk", f"n=3&k=2&dtype={dtype}", data))
        for path, name in [("/topk/vjp", "cotangents"), ("/topk/jvp", "tangents")]:
            stack = wire.numbers([1, 2, 3] + [1, 1, 1, NAN, 1, 1], dtype)
            found.append(("number", path, f"shape=3&k=2&dtype={dtype}&{name}=2", stack))
            stack = wire.numbers([1, 2, NAN] + [1, 1, INF], dtype)
            found.append(("number", path, f"n=3&k=2&dtype={dtype}", stack))
    payloads = [b"\0\0\xa0\x7f", b"\1\0\x80\xff", b"\xff\xff\x7f\x7f", b"\1\0\0\0", b"\0\0\0\x80"]
    found += [("payload", "/topk", "n=2&k=1", wire.numbers([1]) + data) for data in payloads]
    for operator, rest in [("soft_topk_sorted", "&k=1"), ("top_kast", "&k_forward=1"),
                           ("gaussian_k", "&density=1"), ("soft_topk", "&k=2"), ("values", "&k=2"),
                           ("magnitude", "&k=2&short_rows=shrink")]:
        for bad in [NAN, -INF]:
            query = f"n=2&operator={operator}{rest}"
            found.append(("finite", "/topk", query, wire.numbers([1, 2, bad, 3])))
    return found


def further():
    residual = "operator=gaussian_k&density=0.5&"
    found = [("residual", path, residual + query, wire.numbers(values)) for path, query, values in [
        ("/topk", "n=2&inputs=residual", [1, 2, 3, 4]), ("/topk", "shape=2&inputs=rest", [1, 2]),
        ("/topk", "shape=2&inputs=residual,residual", [1, 2, 3, 4]),
        ("/topk", "shape=2&inputs=residual,", [1, 2, 3, 4]), ("/topk", "shape=2&inputs=", [1, 2]),
        ("/topk", "shape=2&residual=1", [1, 2]), ("/topk", "shape=2&inputs=residual", [1, 2, 3]),
        ("/topk", "shape=2&inputs=residual", [1, 2, 3, 4, 5]),
        ("/topk", "shape=4611686018427387904,2&inputs=residual", [1, 2]),
        ("/topk", "shape=1000000,2&inputs=residual", [1, 2]),
        ("/topk", "shape=2&inputs=residual", [1, 2, NAN, 1]),
        ("/topk", "shape=2&inputs=residual", [1, 2, 1, -INF]),
        ("/topk", "shape=2&inputs=residual", [3e38, 2, 3e38, 1]),
        ("/topk", "shape=1&inputs=residual", [1, 2]), ("/topk", "shape=3&inputs=residual", [1] * 6),
        ("/topk", "shape=3&inputs=residual", [1] * 8), ("/topk", "inputs=residual", [1, 2]),
        ("/topk/vjp", "shape=2&inputs=residual", [1, 2, 3, 4]),
        ("/topk/vjp", "shape=2&inputs=residual", [1, 2, 3, 4, NAN, 5]),
        ("/topk/vjp", "shape=2&inputs=residual&cotangents=2", [1, 2, 3, 4, 5, 6]),
        ("/topk/jvp", "shape=2&inputs=residual", [1, 2, 3, 4, 5, 6]),
    ]]
    kast = "operator=top_kast&explore=false&shape=2,2&inputs=forward_mask"
    x = wire.numbers([3, 1, 2, 5])
    for ends, columns in [
        ([0, 1, 1], []), ([1, 1, 2], [0, 1]), ([0, 2, 1], [0, 1]), ([0, 3, 3], [0, 1, 1, 0]),
        ([0, 1, 2], [0, 2]), ([0, 1, 2], [0, -1]), ([0, 2, 2], [1, 1]), ([0, 1, 2], [0, 1, 0, 0]),
        ([0, 0, 0], []), ([0, 1, -1], [0, 0]), ([-1, 1, 2], [0, 1]), ([0, 1, 2], [0]), ([0, 1], []),
    ]:
        body = x + wire.padded(wire.integers(ends)) + wire.integers(columns)
        found.append(("mask", "/topk", kast, body))
        found.append(("mask", "/topk", kast + "&index_dtype=int64", body))
        body = x + wire.integers(ends, "int64") + wire.integers(columns, "int64")
        found.append(("mask64", "/topk", kast + "&index_dtype=int64", body))
    both = "operator=top_kast&shape=2,2&inputs="
    sets = wire.padded(wire.integers([0, 1, 2])) + wire.integers([0, 1])
    for names, body in [
        ("forward_mask", x + sets), ("backward_mask", x + sets),
        ("forward_mask,backward_mask", x + sets),
        ("backward_mask,forward_mask", x + sets + sets),
        ("forward_mask,forward_mask", x + sets + sets),
        ("forward_mask,backward_mask", x + sets + sets + bytes(8)),
        ("forward_mask,backward_mask&k_forward=1", x + sets + sets),
        ("forward_mask,residual", x + sets + sets),
        ("forward_mask,%20backward_mask", x + sets + sets),
        ("forward_mask,backward_mask", x[:8] + sets + sets), ("forward_mask,backward_mask", b""),
    ]:
        found.append(("masks", "/topk", both + names, body))
    sorted_ = "operator=soft_topk_sorted&k=2&"
    for query, count in [("n=2", 6), ("shape=2", 4), ("shape=2", 7), ("shape=2&cotangents=2", 6),
                         ("shape=2,2", 8), ("shape=2,2&cotangents=1", 11), ("shape=1", 3)]:
        found.append(("sorted", "/topk/vjp", sorted_ + query, wire.numbers([1] * count)))
    return found
