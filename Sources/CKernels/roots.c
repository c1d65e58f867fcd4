// The threshold equation of 16 short rows at once.
//
// Safeguarded Newton as in ThresholdSolver: on the e-th root of the sum, with the anchor at the
// (k+1)-th score. Rows whose root is not found in a few passes are left to that one.
#include "isa.h"

enum { PASSES_MAX = 16 };

// About a^(1/3), by a fraction and Halley's iteration, which triples its digits: off by 0.3 % at
// most; NaN out of its reach.
INLINE eight_f64 cube_root(eight_f64 a) {
  eight_f64 root = (1 + 2 * a) / (2 + a);
  eight_f64 cube = root * root * root;
  root *= (cube + 2 * a) / (2 * cube + a);
  return ((a > 0.125) & (a < 8)) ? root : (eight_f64)NAN;
}

// F(t) = sum min(u^e, cap) - k cap, and a step to its root: Newton's on the e-th root of the sum S,
// where the e-th root r of T / S, T = (k - capped) cap, is (S + 2 T) / (2 S + T) for e = 3. That is
// off by the third power of T / S - 1: the step is as good. With all fractions multiplied out one
// division is left; cube roots to the last digit had seven, one after the other.
typedef struct Pass {
  eight_f64 target, excess, step;
  eight_i64 is_open;  // Something is left to share.
} Pass;

INLINE Pass pass_at(eight_f64 t, const eight_f64 *z, size_t m, eight_f64 k, eight_f64 anchor,
                    eight_f64 lambda, const bool is_magnitude, const bool is_cubic) {
  eight_f64 cap = is_magnitude ? anchor - lambda * t : 1;
  eight_f64 sum = 0, slope = 0, left = k;
  for (size_t j = 0; j < m; ++j) {
    eight_f64 u = z[j] + t;
    u = u > 0 ? u : 0;
    eight_f64 power = is_cubic ? u * u * u : u;
    eight_i64 is_capped = power >= cap;
    sum += is_capped ? 0 : power;
    slope += (is_capped | (u <= 0)) ? 0 : is_cubic ? 3 * u * u : (eight_f64)1;
    left -= is_capped ? (eight_f64)1 : 0;
  }
  eight_f64 target = left * cap;
  // r - 1 = (T - S) / wide, and the step (r - 1) / (S' / (e S) + r lambda / (e cap)).
  eight_f64 wide = is_cubic ? 2 * sum + target : 1;
  eight_f64 rise = is_cubic ? 3 * sum * (target - sum) : target - sum;
  eight_f64 drop = slope * wide;
  if (is_magnitude) {
    rise *= cap;
    drop = drop * cap + (is_cubic ? (sum + 2 * target) * sum : target) * lambda;
  }
  return (Pass){target, sum - target, rise / drop, left > 0};
}

// About where the root lies: there, if only the k-th and the (k+1)-th score share, g lambda apart,
// for p = 2; for p = 4/3 a parabola between the roots of (g + t)^3 + t^3 = cap for both ends of g.
INLINE eight_f64 guess(eight_f64 g, eight_f64 next, eight_f64 lambda, const bool is_magnitude,
                       const bool is_cubic) {
  if (!is_cubic) return is_magnitude ? (next - g) / (2 + lambda) : (1 - g) * 0.5;
  if (!is_magnitude) return 0.7937 - 0.2937 * g * g - 0.5 * g;
  // cap = next - lambda t, by a first t.
  eight_f64 side = cube_root(next);
  eight_f64 t = 0.7937 * side - 0.2937 * g * g / side - 0.5 * g;
  side *= 1 - lambda * t / (3 * next);
  return 0.7937 * side - 0.2937 * g * g / side - 0.5 * g;
}

// Eight rows from row `first` on: the numbers of sixteen would not stay in registers. Bit l of
// `whole` says whether all candidates of row first + l are here, and are more than k.
INLINE void eight_roots(size_t first, const bool is_magnitude, const bool is_cubic, uint8_t whole,
                        CKernels_ShortRows *of) {
  // Nothing depends on which rows a row lies among: behind its candidates nothing is added.
  const size_t m = of->most[first / EIGHT];
  double counts[EIGHT];
  for (size_t l = 0; l < EIGHT; ++l) counts[l] = (double)of->ks[first + l];
  eight_f64 lambda = LOAD(eight_f64, of->lambdas + first), kth = LOAD(eight_f64, of->kths + first);
  eight_f64 next = LOAD(eight_f64, of->nexts + first), k = LOAD(eight_f64, counts);
  eight_f64 gap = kth - next, inverse = 1 / lambda, z[CKernels_candidates_max];
  for (size_t j = 0; j < m; ++j) {
    z[j] = (LOAD(eight_f64, of->scores + j * LANES + first) - next) * inverse;
  }
  eight_i64 usual = (lambda > 0x1p-40) & (lambda < 0x1p40), hard;
  eight_f64 low = 0, high = 1 - gap * inverse;
  if (is_magnitude) {
    // Numbers that need no unit of their own (Unit.swift).
    usual &= (next > 0x1p-40) & (kth < 0x1p40);
    eight_f64 ours = is_cubic ? gap * gap * gap : gap;
    eight_f64 theirs = is_cubic ? lambda * lambda * lambda * next : lambda * next;
    hard = ours >= theirs;
    // Cubes decide but for the last digits.
    if (is_cubic) {
      usual &= __builtin_elementwise_abs(ours - theirs) > theirs * 0x1p-40;
    }
    // u^e <= theta at the (k+1)-th score, and a^(1/3) <= (a + 2) / 3; theta from next / 2.
    eight_f64 most = is_cubic ? (next + 2) / 3 : next;
    high = next / (2 * lambda);
    high = high < most ? high : most;
  } else {
    hard = gap >= lambda;
  }
  usual &= next > -INFINITY;
  eight_i64 open = usual & ~hard, solved = 0;
  of->hard |= (uint16_t)((EIGHT_BITS(usual & hard) & whole) << first);
  eight_f64 t = guess(gap * inverse, next, lambda, is_magnitude, is_cubic), root = 0;
  t = ((t > 0) & (t < high)) ? t : high * 0.5;
  for (int pass = 0; pass < PASSES_MAX && (EIGHT_BITS(open) & whole) != 0; ++pass) {
    Pass at = pass_at(t, z, m, k, next, lambda, is_magnitude, is_cubic);
    low = at.excess < 0 ? t : low;
    high = at.excess > 0 ? t : high;
    eight_f64 newton = t + at.step;
    eight_i64 is_inside = (newton > low) & (newton < high) & at.is_open;
    // Close enough that one more step is exact.
    eight_i64 is_done =
        open & at.is_open & (__builtin_elementwise_abs(at.excess) <= 0x1p-49 * at.target);
    root = is_done ? (is_inside ? newton : t) : root;
    solved |= is_done;
    open &= ~is_done;
    t = is_inside ? newton : (low + high) * 0.5;
  }
  solved &= root > 0;
  STORE(of->roots + first, root);
  of->solved |= (uint16_t)((EIGHT_BITS(solved) & whole) << first);
}

INLINE void all_roots(const bool is_magnitude, const bool is_cubic, uint16_t whole,
                      CKernels_ShortRows *of) {
  for (size_t first = 0; first < LANES; first += EIGHT) {
    eight_roots(first, is_magnitude, is_cubic, (uint8_t)(whole >> first), of);
  }
}

KERNEL(void, CKernels_row_roots, (CKernels_ShortRows *of), (of)) {
  of->ranked = of->solved = of->hard = 0;
  uint16_t whole = 0;
  for (size_t r = 0; r < LANES; ++r) {
    const int32_t k = of->ks[r], count = of->counts[r];
    // Nobody shares with the k largest where nobody else may be active.
    of->hard |= (uint16_t)((k > 0 && count == k) << r);
    of->ranked |= (uint16_t)((k > 0 && count > k) << r);
    whole |= (uint16_t)((k > 0 && count > k && count <= CKernels_candidates_max) << r);
  }
  if (of->e == 1) {
    if (of->is_magnitude) all_roots(true, false, whole, of);
    else all_roots(false, false, whole, of);
  } else if (of->e == 3) {
    if (of->is_magnitude) all_roots(true, true, whole, of);
    else all_roots(false, true, whole, of);
  }
}
