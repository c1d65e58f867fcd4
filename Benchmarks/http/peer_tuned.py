"""The mask operator in NumPy, tuned until it stopped getting faster.

Every step is vectorised over rows and runs in NumPy's SIMD loops: a bound on s_k from group
maxima, one compare to find the few entries that can matter (CSR order comes for free), Newton
on those alone: the plan of topkd's own kernel. README.md says what was tried and dropped.
"""

import numpy as np

GROUP_SIZE_MAX = 8
NEWTON_STEPS_MAX = 12
BISECTION_STEPS = 54  # narrows a bracket at most 1 wide to the last bit of a double
STEP_TOLERANCE = 1e-10  # in units of lambda


def lower_bound(x, k):
    """float32 [B]: a value at most s_k for each row of x [B, n].

    k group maxima are k distinct entries, so the k-th largest of them is such a bound, and
    finding it partitions an eighth of the data. One index only: np.partition with two indices
    leaves its SIMD path and takes seven to ten times as long.
    """
    n = x.shape[1]
    group = min(GROUP_SIZE_MAX, n // (4 * k))
    if group < 2:
        maxima, width = x, n
    else:
        # A group is strided, so that the reduction runs over long contiguous stretches. Up to
        # 7 last columns belong to no group; leaving them out keeps this a lower bound.
        width = n // group
        maxima = x[:, : group * width].reshape(-1, group, width).max(axis=1)
    # max() is NaN if an entry is: this sees every NaN and +inf, almost for free.
    tail = x[:, width * max(group, 1) :]
    if not maxima.max() < np.inf or (tail.size and not tail.max() < np.inf):
        raise ValueError("x holds a NaN or +inf")
    return np.partition(maxima, width - k, axis=1)[:, width - k]


def candidates(x, k, lam):
    """The entries of x [B, n] that can be non-zero, as flat ascending indices and row bounds.

    y_i > 0 needs x_i > tau >= s_k - lambda. Returns index int64 [C] into x.ravel() and bounds
    int64 [B+1]: row b owns index[bounds[b]:bounds[b+1]], at least k entries.
    """
    rows, n = x.shape
    # One float32 further down, so that rounding the bound cannot lose an entry.
    bound = (lower_bound(x, k) - np.float64(lam)).astype(np.float32)
    bound = np.nextafter(bound, np.float32(-np.inf))
    index = np.flatnonzero(x > bound[:, None])
    bounds = np.searchsorted(index, np.arange(0, (rows + 1) * n, n))
    return index, bounds


def residual(z, tau, k, exponent, ones):
    """sum y - k and the Newton step towards its root, both [B], at tau [B]; z is [B, m].

    For e = 3 Newton runs on ||u||_3 - K^(1/3) over the active entries, K = k - n_capped: nearly
    linear in tau, so that few steps suffice.
    """
    u = z - tau[:, None]
    y = np.minimum(np.maximum(u, 0.0), 1.0)
    if exponent == 1:
        excess = y @ ones - k
        return excess, excess / np.maximum((y == u) @ ones, 1.0)
    squares = y * y
    capped = (u >= 1.0) @ ones
    wanted = k - capped
    mass = np.maximum(np.einsum("ij,ij->i", squares, y) - capped, 0.0)
    slope = squares @ ones - capped
    norm = np.cbrt(mass)
    step = (norm - np.cbrt(np.maximum(wanted, 0.0))) * norm * norm / np.maximum(slope, 1e-300)
    # Without an active entry there is no slope: leave for the end of the bracket.
    return mass - wanted, np.where(slope > 1e-12, step, -wanted)


def solve(z, k, exponent):
    """The root tau float64 [B] in [-1, 0] of sum_j clip(z_ij - tau_i, 0, 1)^e = k.

    z is (x - s_{k+1})/lambda on the candidates, [B, m], rows ascending: s_k is column m-k.
    Newton, held in the bracket [z_k - 1, 0]; rows drawn from N(0,1) take two to seven steps. It
    can cycle (the sum is neither convex nor concave), so rows that are not done are bisected.
    """
    low = np.minimum(z[:, z.shape[1] - k] - 1.0, 0.0)
    tau = 0.5 * low
    ones = np.ones(z.shape[1])
    for _ in range(NEWTON_STEPS_MAX):
        _, step = residual(z, tau, k, exponent, ones)
        tau = np.minimum(np.maximum(tau + step, low), 0.0)
        if np.abs(step).max() <= STEP_TOLERANCE:
            return tau
    left = np.flatnonzero(np.abs(step) > STEP_TOLERANCE)
    z, below, above = z[left], low[left], np.zeros(left.size)
    for _ in range(BISECTION_STEPS):
        middle = 0.5 * (below + above)
        over = residual(z, middle, k, exponent, ones)[0] > 0.0
        below, above = np.where(over, middle, below), np.where(over, above, middle)
    tau[left] = 0.5 * (below + above)
    return tau


def mask(x, k, lam, exponent):
    """The mask of x float32 [B, n] as CSR: indptr int32 [B+1], indices int32, data float32."""
    rows, n = x.shape
    index, bounds = candidates(x, k, lam)
    counts = np.diff(bounds)
    if counts.min() < k:
        raise ValueError("a row has fewer than k finite entries")
    values = x.ravel()[index]
    row = np.repeat(np.arange(rows), counts)
    # Candidates as a rectangle [B, m], padded with -inf; m > k, so that s_{k+1} exists.
    m = max(int(counts.max()), k + 1)
    table = np.full((rows, m), -np.inf, dtype=np.float32)
    shift = np.arange(0, rows * m, m) - bounds[:-1]
    table.ravel()[np.arange(index.size) + shift[row]] = values
    table.sort(axis=1)
    # Measured from s_{k+1} float64 loses nothing. If s_k - s_{k+1} >= lambda the answer is the
    # hard mask, and s_k - lambda serves as well; then s_{k+1} may be the padding.
    origin = np.maximum(table[:, m - k - 1], table[:, m - k] - np.float64(lam))
    tau = solve((table - origin[:, None]) / lam, k, exponent)
    u = (values - (origin + lam * tau)[row]) / lam
    live = np.flatnonzero(u > 0.0)
    y = np.minimum(u[live], 1.0)
    data = (y if exponent == 1 else y * y * y).astype(np.float32)
    indices = (index[live] - row[live] * n).astype(np.int32)
    return np.searchsorted(live, bounds).astype(np.int32), indices, data
