"""The paper's way, written anew: argsort, pool adjacent violators, unsort; numba, one thread.

The argsort is numba's, as in a program that is numba throughout, or NumPy's, which sorts with
AVX-512 where it can: no peer is faster than that.

p = 2 pools means; p = 4/3 pools power sums and takes the real root of a cubic by Cardano's
formula. The vector-Jacobian product averages over the pools. float32 in and out, as theirs;
sums in float64 so that answers can be compared (it costs nothing here: the sort does).
"""

import numba
import numpy as np


@numba.njit(cache=True)
def cubic(a, b, c, d):
    """The real root of the monotone a z^3 + b z^2 + c z + d."""
    b, c, d = b / a, c / a, d / a
    p = c - b * b / 3
    q = 2 * b**3 / 27 - b * c / 3 + d
    discriminant = q * q / 4 + p**3 / 27
    if discriminant >= 0:
        root = np.sqrt(discriminant)
        return np.cbrt(-q / 2 + root) + np.cbrt(-q / 2 - root) - b / 3
    return 2 * np.sqrt(-p / 3) * np.cos(np.arccos(3 * q / (2 * p) * np.sqrt(-3 / p)) / 3) - b / 3


@numba.njit(cache=True)
def value(n, s1, s2, s3, w, lam, cube, magnitude):
    """The value of a pool of n scores with power sums s1, s2, s3 and weight w."""
    if not cube:
        return s1 / (n + lam * w) if magnitude else (s1 - lam * w) / n
    l3 = lam**3
    if magnitude:
        return cubic(-n, 3 * s1, -3 * s2 - l3 * w, s3)
    return cubic(-n, 3 * s1, -3 * s2, s3 - l3 * w)


@numba.njit(cache=True)
def solve(s, k, lam, cube, magnitude, v, start):
    """Isotonic values of the sorted scores s, and where the pool of each entry starts."""
    n = len(s)
    first = np.empty(n, np.int64)
    count = np.empty(n)
    sums = np.empty((n, 3))
    weight = np.empty(n)
    values = np.empty(n)
    top = -1
    for i in range(n):
        top += 1
        x = float(s[i])
        first[top], count[top], weight[top] = i, 1.0, 1.0 if i < k else 0.0
        sums[top, 0], sums[top, 1], sums[top, 2] = x, x * x, x * x * x
        values[top] = value(1.0, x, x * x, x * x * x, weight[top], lam, cube, magnitude)
        while top > 0 and values[top - 1] < values[top]:
            top -= 1
            count[top] += count[top + 1]
            weight[top] += weight[top + 1]
            for m in range(3):
                sums[top, m] += sums[top + 1, m]
            values[top] = value(
                count[top], sums[top, 0], sums[top, 1], sums[top, 2], weight[top], lam, cube, magnitude
            )
    for b in range(top + 1):
        end = first[b + 1] if b < top else n
        for i in range(first[b], end):
            v[i] = values[b]
            start[i] = first[b]


def run(x, c, k, lam, cube, magnitude, backward, out, sorts_itself=False):
    """forward, or the vector-Jacobian product for c, of every row of x, into out."""
    if sorts_itself:
        orders = own_orders(x, magnitude)
    else:
        orders = np.argsort(-np.abs(x) if magnitude else -x, axis=1)
    return pool(x, c, orders, k, lam, cube, magnitude, backward, out)


@numba.njit(cache=True)
def own_orders(x, magnitude):
    """The columns of every row by descending score, sorted by numba."""
    orders = np.empty(x.shape, np.int64)
    for r in range(x.shape[0]):
        orders[r] = np.argsort(-np.abs(x[r]) if magnitude else -x[r])
    return orders


@numba.njit(cache=True)
def pool(x, c, orders, k, lam, cube, magnitude, backward, out):
    """The rows one after the other, each in its order."""
    rows, n = x.shape
    v = np.empty(n)
    start = np.empty(n, np.int64)
    e = 3 if cube else 1
    for r in range(rows):
        score = np.abs(x[r]) if magnitude else x[r]
        order = orders[r]
        solve(score[order], k, lam, cube, magnitude, v, start)
        i = 0
        while i < n:
            end = i + 1
            while end < n and start[end] == i:
                end += 1
            top, bottom = 0.0, 0.0
            if backward:
                for j in range(i, end):
                    u = (score[order[j]] - v[j]) / lam
                    d = (3 * u * u if cube else 1.0) / lam if u > 0 else 0.0
                    cj = c[r, order[j]] * (np.sign(x[r, order[j]]) if magnitude else 1.0)
                    top += (1 + d) * cj if magnitude else d * cj
                    bottom += d
                if magnitude:
                    bottom += max(0, min(k, end) - i)
            for j in range(i, end):
                column = order[j]
                u = max(0.0, (score[column] - v[j]) / lam)
                if not backward:
                    y = u**e
                    out[r, column] = (y + lam * u) * np.sign(x[r, column]) if magnitude else y
                    continue
                d = (3 * u * u if cube else 1.0) / lam if u > 0 else 0.0
                mean = top / bottom if bottom > 0 else 0.0
                if not magnitude:
                    out[r, column] = d * (c[r, column] - mean)
                elif u > 0:
                    sign = np.sign(x[r, column])
                    out[r, column] = sign * ((1 + d) * sign * c[r, column] - d * mean)
                else:
                    out[r, column] = 0.0
            i = end
    return out
