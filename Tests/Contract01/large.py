"""Bodies too large to keep: a recipe says how x is made, and a digest what was answered."""

from wire import JSON, RAW, Case

OCTETS = [("Content-Type", RAW)]


def recipe(count, seed, dtype="float32", bits=None, **rest):
    """Numbers of `bits` bits, exact in the type; few bits make many ties."""
    bits = bits or {"float32": 24, "float64": 24, "float16": 11, "bfloat16": 8, "json": 12}[dtype]
    return dict(rest, seed=seed, count=count, bits=bits, dtype=dtype)


def raw(name, query, count, dtype="float32", path="/topk", accept=None, **rest):
    seed = sum(name.encode()) * 65537 + count
    headers = OCTETS + ([("Accept", accept)] if accept else [])
    if dtype != "float32":
        query += f"&dtype={dtype}"
    return Case("large/" + name, f"{path}?{query}", headers, recipe(count, seed, dtype, **rest))


def text(name, before, rows, n, after, path="/topk", accept=None):
    body = recipe(rows * n, rows + n, "json", row=n, before=before, after=after)
    headers = [("Content-Type", JSON)] + ([("Accept", accept)] if accept else [])
    return Case("large/" + name, path, headers, body)


def cases():
    return rows() + long_rows() + further() + arriving() + texts() + refused()


def rows():
    """Many rows, as a router's."""
    found = [raw("router", "n=64&k=2&lambda=0.5&p=2", 20_000 * 64)]
    for op in ["mask", "values", "magnitude"]:
        found.append(raw(f"rows-{op}", f"operator={op}&n=64&k=4", 1000 * 64))
        found.append(raw(f"hard-{op}", f"operator={op}&n=64&k=4&lambda=0", 1000 * 64))
        found.append(raw(f"ties-{op}", f"operator={op}&n=75&k=9&p=2&lambda=0.3", 75_000, bits=6))
        found.append(raw(f"vjp-{op}", f"operator={op}&n=64&k=4&p=2&lambda=3", 1000 * 64,
                         path="/topk/vjp"))
        found.append(raw(f"jvp-{op}", f"operator={op}&n=64&k=4&p=1.5&lambda=3&tangents=3",
                         1000 * 64, path="/topk/jvp"))
    for dtype in ["float64", "float16", "bfloat16"]:
        found.append(raw(f"rows-{dtype}", "n=64&k=4&lambda=0.2", 1000 * 64, dtype))
        found.append(raw(f"rows-hard-{dtype}", "n=64&k=4&lambda=0&format=dense", 64_000, dtype))
        found.append(raw(f"rows-padded-{dtype}", "n=64&k=4&p=2&format=padded", 64_000, dtype))
    return found


def long_rows():
    """One row of 300 KB, of 1 MB, of 4 MB and of half a million numbers."""
    found = []
    for name, count in [("300KB", 75_000), ("1MB", 262_144), ("4MB", 1_048_576)]:
        hard = f"shape={count}&k={count // 100}&lambda=0"
        found.append(raw(f"{name}-hard", hard, count))
        found.append(raw(f"{name}-soft", f"shape={count}&k=100&lambda=0.01&p=2", count))
        found.append(raw(f"{name}-default", f"shape={count}&k=10", count))
    found.append(raw("500000", "shape=500000&k=64&operator=values", 500_000))
    found.append(raw("500000-smallest", "shape=500000&k=64&largest=false&lambda=0", 500_000))
    found.append(raw("300KB-dense", "shape=75000&k=700&lambda=0&format=dense", 75_000))
    found.append(raw("300KB-float64", "shape=37500&k=70&lambda=0.1", 37_500, "float64"))
    found.append(raw("300KB-float16", "shape=150000&k=70&lambda=0", 150_000, "float16"))
    found.append(raw("300KB-bfloat16", "shape=150000&k=70&lambda=0", 150_000, "bfloat16"))
    found.append(raw("300KB-vjp", "shape=37500&k=70&lambda=1", 75_000, path="/topk/vjp"))
    found.append(raw("300KB-vjp3", "shape=18750&k=70&lambda=1&p=2&cotangents=3", 75_000,
                     path="/topk/vjp"))
    found.append(raw("300KB-jvp", "shape=37500&k=70&p=2&lambda=1&operator=magnitude", 75_000,
                     path="/topk/jvp"))
    found.append(raw("300KB-int64", "shape=75000&k=70&index_dtype=int64&format=padded", 75_000))
    return found


def further():
    soft = "operator=soft_topk&shape=20000&k=100.5&tau=0.5"
    return [
        raw("soft_topk", soft, 20_000),
        raw("soft_topk-rows", "operator=soft_topk&n=64&k=4&epsilon=0.1", 200 * 64),
        raw("soft_topk-legacy", "operator=soft_topk&n=64&k=4&epsilon=0.1&legacy_batch_scale=true"
            "&mode=smallest&format=dense", 200 * 64),
        raw("soft_topk-float64", soft + "&mode=smallest", 20_000, "float64"),
        raw("soft_topk-vjp", "operator=soft_topk&shape=10000&k=100.5&tau=0.5", 20_000,
            path="/topk/vjp"),
        raw("soft_topk-jvp", "operator=soft_topk&shape=10000&k=9&tau=2", 20_000, path="/topk/jvp"),
        raw("soft_topk_sorted", "operator=soft_topk_sorted&n=256&k=3&eps=1", 8 * 256),
        raw("top_kast", "operator=top_kast&shape=75000&density_forward=0.01&density_extra=0.02",
            75_000),
        raw("top_kast-global",
            "operator=top_kast&n=1000&k_forward=500&k_backward=2000&scope=global",
            75_000),
        raw("top_kast-vjp", "operator=top_kast&shape=37500&k_forward=500&k_backward=900", 75_000,
            path="/topk/vjp"),
        raw("gaussian_k", "operator=gaussian_k&shape=75000&density=0.01", 75_000),
        raw("gaussian_k-rows", "operator=gaussian_k&n=1000&density=0.01&legacy_mean=false"
            "&on_miss=exact", 75_000),
        raw("gaussian_k-residual", "operator=gaussian_k&shape=20000&density=0.01&inputs=residual",
            40_000),
        raw("gaussian_k-vjp", "operator=gaussian_k&shape=20000&density=0.01", 40_000,
            path="/topk/vjp"),
        raw("dykstra", "n=64&k=4&lambda=2&p=2&solver=dykstra", 200 * 64),
        raw("pav", "n=256&k=9&lambda=1&solver=pav&p=1.5", 50 * 256),
        raw("linearization", "n=256&k=9&lambda=1&linearization=true", 100 * 256),
        raw("linearization-dense", "n=64&k=9&lambda=1&linearization=true&format=dense", 6400),
        raw("linearization-padded", "n=64&k=9&lambda=1&linearization=true&format=padded"
            "&operator=magnitude", 6400),
        raw("wrt", "n=64&k=9&lambda=1&wrt=x,lambda", 128_000, path="/topk/vjp"),
    ]


def arriving():
    """Bodies that are looked at while they arrive, with numbers that are none."""
    found = []
    for index in [0, 30_001, 39_999]:
        for name in ["nan", "inf", "-inf"]:
            found.append(raw(f"{name}-at-{index}", "n=1000&k=1", 40_000,
                             special={str(index): name}))
    found.append(raw("nan-behind-k-beyond-n", "n=1000&k=1001", 40_000, special={"5": "nan"}))
    found.append(raw("nan-in-cotangent", "n=1000&k=1", 40_000, path="/topk/vjp",
                     special={"30001": "nan"}))
    found.append(raw("inf-in-cotangent", "n=1000&k=1", 40_000, path="/topk/vjp",
                     special={"30001": "-inf"}))
    found.append(raw("inf-for-top_kast", "n=1000&operator=top_kast&k_forward=3", 40_000,
                     special={"30001": "-inf"}))
    found.append(raw("half-a-row", "n=999&k=1", 40_000))
    return found


def texts():
    """Long JSON, both ways."""
    return [
        text("json", '{"k":4,"lambda":20,"p":2,"x":', 500, 64, "}"),
        text("json-dense", '{"x":', 200, 64, ',"k":4,"operator":"values","format":"dense"}'),
        text("json-padded", '{"x":', 200, 64, ',"k":4,"format":"padded","dtype":"float64"}'),
        text("json-to-raw", '{"x":', 500, 64, ',"k":4,"lambda":20}', accept=RAW),
        text("json-one-row", '{"k":40,"x":', 1, 20_000, "}"),
        text("json-gaussian_k", '{"operator":"gaussian_k","density":0.02,"x":', 100, 64, "}"),
        text("json-float16", '{"dtype":"float16","k":3,"x":', 500, 64, "}"),
        text("json-behind", '{"k":3,"x":', 500, 64, ',"unknown":1}'),
        text("json-cut", '{"k":3,"x":', 500, 64, ""),
        text("json-nan-at-the-end", '{"k":3,"y":', 500, 64, ',"x":[1,"NaN"]}'),
        raw("raw-to-json", "n=64&k=4&lambda=0.5&p=2", 64_000, accept=JSON),
        raw("raw-to-json-float16", "n=64&k=4&format=dense", 6400, "float16", accept=JSON),
        raw("raw-to-json-vjp", "n=64&k=4&lambda=3", 64_000, path="/topk/vjp", accept=JSON),
    ]


def refused():
    """What would be answered, were it not so large."""
    wide = "operator=soft_topk_sorted&shape=20000&k=20000"
    return [
        raw("answer-too-large", wide, 20_000),
        raw("answer-too-large-json", wide, 20_000, accept=JSON),
    ]
