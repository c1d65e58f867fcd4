"""The mask operator in NumPy from the formulas: np.partition, then Newton vectorised over rows.

y = argmax <x, y> - (lambda/p) ||y||_p^p over {y in [0,1]^n, sum y = k}; Sander et al., ICML 2023,
arXiv:2302.01425. With s the sorted row (descending) and e = 1/(p-1), y_i = clip((x_i - tau) /
lambda, 0, 1)^e for the tau in [s_k - lambda, s_{k+1}] with sum y = k.
"""

import numpy as np

STEPS_MAX = 60
TOLERANCE = 1e-6  # of sum y, relative to k


def solve(z, k, exponent, is_hard):
    """The root tau [B] of sum_j clip(z_ij - tau_i, 0, 1)^e = k; z float32 [B, n] is (x - s_{k+1}) /
    lambda. Newton; bisection where it leaves the bracket [-1, 0]. Hard rows have the root 0."""
    low, high = np.full(len(z), -1.0, np.float32), np.zeros(len(z), np.float32)
    tau = np.where(is_hard, high, 0.5 * (low + high))
    for _ in range(STEPS_MAX):
        u = np.clip(z - tau[:, None], 0.0, 1.0)
        active = (u > 0.0) & (u < 1.0)
        if exponent == 1:
            excess, slope = u.sum(axis=1, dtype=np.float64) - k, active.sum(axis=1)
        else:
            squares = u * u
            excess = (squares * u).sum(axis=1, dtype=np.float64) - k
            slope = 3.0 * (squares * active).sum(axis=1)
        done = np.abs(excess) <= TOLERANCE * k
        if done.all():
            break
        low, high = np.where(excess > 0, tau, low), np.where(excess > 0, high, tau)
        step = tau + excess / np.maximum(slope, 1e-30)
        inside = (step > low) & (step < high)
        step = np.where(inside, step, 0.5 * (low + high))
        tau = np.where(done, tau, step).astype(np.float32)
    return tau


def mask(x, k, lam, exponent):
    """The mask of x float32 [B, n] as CSR: indptr int32 [B+1], indices int32, data float32."""
    n = x.shape[1]
    if not np.isfinite(x).all():
        raise ValueError("x holds a NaN or an infinity")
    if k == n:
        y = np.ones_like(x)
    else:
        ranks = np.partition(x, [n - k - 1, n - k], axis=1)
        following, kth = ranks[:, n - k - 1], ranks[:, n - k]
        # A gap of lambda or more is the hard mask; s_k - lambda is a threshold for it, too.
        origin = np.maximum(following, kth - np.float32(lam))
        z = (x - origin[:, None]) / np.float32(lam)
        tau = solve(z, k, exponent, kth - following >= np.float32(lam))
        u = np.clip(z - tau[:, None], 0.0, 1.0)
        y = u if exponent == 1 else u * u * u
    row, column = np.nonzero(y)
    indptr = np.zeros(len(x) + 1, dtype=np.int32)
    np.cumsum(np.bincount(row, minlength=len(x)), out=indptr[1:])
    return indptr, column.astype(np.int32), y[row, column].astype(np.float32)
