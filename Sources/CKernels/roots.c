// The threshold equation of 16 short rows at once.
//
// Safeguarded Newton as in ThresholdSolver: on the e-th root of the sum, with the anchor at the
// (k+1)-th score. Rows whose root is not found in a few passes, or lies out of sight of their m
// largest scores, are left to that one.
#include "isa.h"

enum { PASSES_MAX = 16 };

// a^(1/3) around 1 by Halley's iteration, which triples the digits; NaN out of its reach.
INLINE line_f64 cube_root(line_f64 a) {
  line_f64 root = (1 + 2 * a) / (2 + a);
  for (int i = 0; i < 3; ++i) {
    line_f64 cube = root * root * root;
    root *= (cube + 2 * a) / (2 * cube + a);
  }
  return ((a > 0.125) & (a < 8)) ? root : (line_f64)NAN;
}

// F(t) = sum min(u^e, cap) - k cap, and the Newton step on its e-th root.
typedef struct Pass {
  line_f64 target, excess, step;
  line_i64 is_open;  // Something is left to share.
} Pass;

INLINE Pass pass_at(line_f64 t, const line_f64 *z, size_t m, line_f64 k, line_f64 anchor,
                    line_f64 lambda, const bool is_magnitude, const bool is_cubic) {
  const double e = is_cubic ? 3 : 1;
  line_f64 cap = is_magnitude ? anchor - lambda * t : 1;
  line_f64 sum = 0, slope = 0, left = k;
  for (size_t j = 0; j < m; ++j) {
    line_f64 u = z[j] + t;
    u = u > 0 ? u : 0;
    line_f64 power = is_cubic ? u * u * u : u;
    line_i64 is_capped = power >= cap;
    sum += is_capped ? 0 : power;
    slope += (is_capped | (u <= 0)) ? 0 : is_cubic ? 3 * u * u : (line_f64)1;
    left -= is_capped ? (line_f64)1 : 0;
  }
  line_f64 target = left * cap, ratio = target / sum;
  ratio = is_cubic ? cube_root(ratio) : ratio;
  line_f64 cap_slope = is_magnitude ? lambda / cap : 0;
  line_f64 step = (ratio - 1) / (slope / (e * sum) + ratio * cap_slope / e);
  return (Pass){target, sum - target, step, left > 0};
}

INLINE void row_roots(const double *tops, const int32_t *ks, const double *lambdas,
                      const bool is_magnitude, const bool is_cubic, CKernels_RowRoots *roots) {
  // Nothing depends on which rows a row lies among: each has its k, and sees its k + 4 scores.
  line_f64 lambda = LOAD(line_f64, lambdas), kth, next, k;
  line_i64 sizes;
  size_t m = 0;
  for (size_t l = 0; l < LANES; ++l) {
    size_t own = ks[l] > 0 ? (size_t)ks[l] : 1;
    kth[l] = tops[(own - 1) * LANES + l];
    next[l] = tops[own * LANES + l];
    k[l] = (double)own;
    sizes[l] = (int64_t)own + CKernels_row_tops_beyond;
    m = own + CKernels_row_tops_beyond > m ? own + CKernels_row_tops_beyond : m;
  }
  line_f64 gap = kth - next, z[CKernels_row_tops_max], last = 0;
  for (size_t j = 0; j < m; ++j) {
    z[j] = (LOAD(line_f64, tops + j * LANES) - next) / lambda;
    last = sizes == (int64_t)j + 1 ? z[j] : last;
    z[j] = sizes > (int64_t)j ? z[j] : (line_f64)(-INFINITY);
  }
  line_i64 usual = (lambda > 0x1p-40) & (lambda < 0x1p40), hard;
  line_f64 low = 0, high = 1 - gap / lambda;
  if (is_magnitude) {
    // Numbers that need no unit of their own (Unit.swift).
    usual &= (next > 0x1p-40) & (kth < 0x1p40);
    line_f64 ours = is_cubic ? gap * gap * gap : gap;
    line_f64 theirs = is_cubic ? lambda * lambda * lambda * next : lambda * next;
    hard = ours >= theirs;
    // Cubes decide but for the last digits.
    if (is_cubic) {
      usual &= __builtin_elementwise_abs(ours - theirs) > theirs * 0x1p-40;
    }
    // u^e <= theta at the (k+1)-th score, and a^(1/3) <= (a + 2) / 3; theta from next / 2.
    line_f64 most = is_cubic ? (next + 2) / 3 : next;
    high = next / (2 * lambda);
    high = high < most ? high : most;
  } else {
    hard = gap >= lambda;
  }
  line_i64 open = usual & ~hard;
  roots->hard = MASK_BITS(usual & hard);
  line_i64 solved = 0;
  line_f64 t = high * 0.5, root = 0;
  for (int pass = 0; pass < PASSES_MAX && MASK_BITS(open) != 0; ++pass) {
    Pass at = pass_at(t, z, m, k, next, lambda, is_magnitude, is_cubic);
    low = at.excess < 0 ? t : low;
    high = at.excess > 0 ? t : high;
    line_f64 newton = t + at.step;
    line_i64 is_inside = (newton > low) & (newton < high) & at.is_open;
    // Close enough that one more step is exact.
    line_i64 is_done =
        open & at.is_open & (__builtin_elementwise_abs(at.excess) <= 0x1p-49 * at.target);
    root = is_done ? (is_inside ? newton : t) : root;
    solved |= is_done;
    open &= ~is_done;
    t = is_inside ? newton : (low + high) * 0.5;
  }
  // The least score that is active. If the last is, others may be that are not among the m.
  line_f64 bound = INFINITY;
  for (size_t j = 0; j < m; ++j) {
    bound = z[j] + root > 0 ? LOAD(line_f64, tops + j * LANES) : bound;
  }
  solved &= (last + root <= 0) & (root > 0);
  STORE(roots->t, root);
  STORE(roots->bound, bound);
  roots->solved = MASK_BITS(solved);
}

KERNEL(void, CKernels_row_roots,
       (const double *tops, const int32_t *ks, const double *lambdas, bool is_magnitude,
        bool is_cubic, CKernels_RowRoots *roots),
       (tops, ks, lambdas, is_magnitude, is_cubic, roots)) {
  if (is_magnitude) {
    if (is_cubic) row_roots(tops, ks, lambdas, true, true, roots);
    else row_roots(tops, ks, lambdas, true, false, roots);
  } else {
    if (is_cubic) row_roots(tops, ks, lambdas, false, true, roots);
    else row_roots(tops, ks, lambdas, false, false, roots);
  }
}
