"""Requests that are answered: each operator, direction, encoding, format and type."""

import wire
from choices import Choices
from wire import JSON, RAW

PATHS = {"forward": "/topk", "vjp": "/topk/vjp", "jvp": "/topk/jvp"}
STACKS = {"vjp": "cotangent", "jvp": "tangent"}
ENCODINGS = {"jj": (JSON, None), "rr": (RAW, None), "jr": (JSON, RAW), "rj": (RAW, JSON)}


def cases(operators):
    """All combinations, each with rows and parameters of its own."""
    found = []
    for operator in operators:
        for direction in operator["directions"]:
            for encoding in ENCODINGS:
                for form in ["csr", "dense", "padded"]:
                    for dtype in operator["dtypes"]:
                        for rows in ["row", "batch"]:
                            words = [operator["name"], direction, encoding, form, dtype, rows]
                            found.append(Draw(words).case())
    return found


class Draw(Choices):
    """Draws one request."""

    def __init__(self, words):
        super().__init__("/".join(words))
        self.op, self.direction, encoding, self.form, self.dtype, rows = words
        self.sent, self.accept = ENCODINGS[encoding]
        self.row_count = 1 if rows == "row" else self.random.randint(1, 3)
        self.is_single = rows == "row"
        self.n = self.random.choice([1, 2, 3, 3, 4, 4, 5, 6, 7, 9, 12])
        if self.row_count > 2:
            self.n = min(self.n, 5)
        self.members, self.inputs = {}, {}
        self.rank_count = None

    def case(self):
        self.x = self.rows()
        draw = {
            "soft_topk": self.soft_topk, "soft_topk_sorted": self.soft_topk_sorted,
            "top_kast": self.top_kast, "gaussian_k": self.gaussian_k,
        }
        draw.get(self.op, self.sparse)()
        self.layout()
        stack = self.stack() if self.direction != "forward" else None
        return self.json(stack) if self.sent == JSON else self.raw(stack)

    # Parameters of each operator.

    def sparse(self):
        self.smallest_finite()
        solver = self.pick("", "", "", "auto", "threshold", "pav", "dykstra")
        has_w = self.sent == JSON and solver in ("", "auto", "pav") and self.chance(0.2)
        if has_w:
            w = [sorted((round(self.random.random(), 2) for _ in range(self.n)), reverse=True)
                 for _ in range(self.row_count)]
            self.members["w"] = w[0] if self.is_single or self.chance(0.5) else w
        else:
            self.members["k"] = self.each(self.count)
        if solver:
            self.members["solver"] = solver
        if self.chance(0.8):
            self.members["lambda"] = self.each(lambda: self.pick(0.05, 0.3, 1, 2, 2.5, 10))
        elif self.direction == "forward" and solver != "dykstra":
            self.maybe("lambda", 0.5, 0)
        if solver == "dykstra":
            self.members["p"] = 2
            self.maybe("max_iterations", 0.5, 1, 5, 100)
            self.maybe("tolerance", 0.5, 0, 0.001, 1e-9)
        else:
            self.maybe("p", 0.8, "4/3", 2, 2, 1.5, 3, 1.05, 16, 4, 1.25)
        if self.op != "magnitude":
            self.maybe("largest", 0.35, True, False)
        if self.direction == "forward":
            self.maybe("linearization", 0.35, True, False)
        if self.direction == "vjp":
            self.maybe("wrt", 0.5, ["x"], ["lambda"], ["x", "lambda"], ["lambda", "x"])

    def count(self):
        return self.random.randint(1, max(1, min(self.n, self.fewest)))

    def smallest_finite(self):
        """Some entries that are never selected; sometimes fewer others than k."""
        self.fewest = self.n
        if self.n < 2 or not self.chance(0.3):
            return
        for row in self.x:
            for index in self.random.sample(range(self.n), self.random.randint(0, self.n - 1)):
                row[index] = float("-inf")
        if self.chance(0.6):
            self.members["short_rows"] = "shrink"
        else:
            self.members["short_rows"] = "error"
            self.fewest = min(sum(v != float("-inf") for v in row) for row in self.x)

    def soft_topk(self):
        self.smallest_finite()
        most = min(self.n, self.fewest)
        self.members["k"] = self.each(
            lambda: self.pick(round(self.random.random() * most, 2), most, 1, 0))
        if self.chance(0.5):
            self.members["tau"] = self.each(lambda: self.pick(0.1, 0.5, 2, 1e-6, 30))
        elif self.chance(0.8):
            self.members["epsilon"] = self.each(lambda: self.pick(0.1, 1, 0.003))
            if self.chance(0.5):
                self.members["cost_scale"] = self.each(lambda: self.pick(1, 4, 0.5))
            else:
                self.maybe("legacy_batch_scale", 0.6, True, False)
        self.maybe("mode", 0.5, "largest", "smallest")

    def soft_topk_sorted(self):
        self.rank_count = self.random.randint(1, min(self.n, 4))
        self.members["k"] = self.rank_count
        if self.chance(0.7):
            self.members["eps"] = self.each(lambda: self.pick(0.1, 1, 5, 0.5))
        if self.chance(0.5):
            self.members["cost_scale"] = self.each(lambda: self.pick(1, 4, 0.5))

    def top_kast(self):
        total = self.n
        if self.chance(0.3):
            self.members["scope"] = self.pick("layer", "global")
            if self.members["scope"] == "global":
                total = self.n * self.row_count
        way = self.random.random()
        if way < 0.35:
            forward = self.random.randint(1, total)
            self.members["k_forward"] = forward
            if self.chance(0.7):
                self.members["k_backward"] = self.random.randint(forward, total)
        elif way < 0.65:
            self.members["density_forward"] = self.pick(0.1, 0.34, 0.5, 0.7)
            self.maybe("density_extra", 0.7, 0, 0.1, 0.25, 0.3)
        else:
            self.masks()
        self.maybe("reg_kind", 0.5, "l1", "l2")
        self.maybe("reg_strength", 0.6, 0, 0.01, 1)

    def masks(self):
        sets = [self.random.sample(range(self.n), self.random.randint(1, self.n))
                for _ in range(self.row_count)]
        self.inputs["forward_mask"] = [s[: self.random.randint(1, len(s))] for s in sets]
        if self.chance(0.2):
            self.members["explore"] = False
        else:
            self.inputs["backward_mask"] = [sorted(s) if self.chance(0.7) else s for s in sets]
        self.maybe("density_forward", 0.3, 0.5, 0.2)

    def gaussian_k(self):
        self.members["density"] = self.pick(0.1, 0.25, 0.4, 0.5, 1, 0.01)
        self.maybe("max_checks", 0.4, 1, 2, 100)
        self.maybe("up", 0.3, 1, 1.1, 2)
        self.maybe("down", 0.3, 0, 0.9, 1)
        self.maybe("legacy_mean", 0.5, True, False)
        self.maybe("on_miss", 0.6, "accept", "exact", "exact")
        if self.chance(0.5):
            self.inputs["residual"] = self.rows()

    # What every operator has.

    def layout(self):
        defaults = {"operator": "mask", "dtype": "float32", "format": "csr"}
        for name, value in [("operator", self.op), ("dtype", self.dtype), ("format", self.form)]:
            if value != defaults[name] or self.chance(0.3):
                self.members[name] = value
        self.maybe("index_dtype", 0.35, "int64", "int64", "int32")
        if self.form == "padded" and self.chance(0.45):
            full = self.n
            if self.rank_count is not None and self.direction == "forward":
                full = self.rank_count
            self.members["width"] = full if self.chance(0.8) else self.random.randint(1, full)

    def stack(self):
        """Cotangents or tangents, and how many there are; nil where there is no axis of them."""
        count = self.pick(None, None, 1, 2, 3) if self.row_count < 3 else self.pick(None, 1, 2)
        entry = (lambda: self.pick(0, 1, 2, -1, 0.5, round(self.random.gauss(0, 1), 1)))
        is_matrix = self.rank_count is not None and self.direction == "vjp"

        def row():
            return [[entry() for _ in range(self.rank_count)] if is_matrix else entry()
                    for _ in range(self.n)]

        def batch():
            return row() if self.is_single else [row() for _ in range(self.row_count)]

        return (count, batch() if count is None else [batch() for _ in range(count)])

    def json(self, stack):
        def whole(rows):
            return rows[0] if self.is_single else rows

        members = dict(self.members, x=whole(self.x))
        members.update((name, whole(value)) for name, value in self.inputs.items())
        if stack:
            members[STACKS[self.direction]] = stack[1]
        names = list(members)
        self.random.shuffle(names)
        members = {name: members[name] for name in names}
        return wire.as_json(self.id, members, PATHS[self.direction], self.accept)

    def raw(self, stack):
        query = dict(self.members)
        # n alone means a batch, even of one row, and says nothing where other things follow.
        needs_shape = self.inputs or (self.rank_count is not None and stack)
        if self.is_single:
            query["shape"] = self.n
        elif needs_shape or self.chance(0.5):
            query["shape"] = [self.row_count, self.n]
        else:
            query["n"] = self.n
        body = wire.numbers(wire.flat(self.x), self.dtype)
        if self.inputs:
            query["inputs"] = list(self.inputs)
            body = wire.padded(body)
            for name, rows in self.inputs.items():
                body += self.raw_input(name, rows)
        if stack:
            count, values = stack
            if count is not None:
                query[STACKS[self.direction] + "s"] = count
            body += wire.numbers(wire.flat(values), self.dtype)
        names = list(query)
        self.random.shuffle(names)
        query = {name: query[name] for name in names}
        return wire.as_raw(self.id, query, body, PATHS[self.direction], self.accept)

    def raw_input(self, name, rows):
        if name == "residual":
            return wire.padded(wire.numbers(wire.flat(rows), self.dtype))
        ends = [sum(len(row) for row in rows[:i]) for i in range(len(rows) + 1)]
        index = self.members.get("index_dtype", "int32")
        indices = wire.integers([column for row in rows for column in row], index)
        return wire.padded(wire.integers(ends, index)) + wire.padded(indices)
