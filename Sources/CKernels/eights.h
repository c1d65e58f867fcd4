// What eight short rows whose threshold is known come to, with SIMD across the rows.
#ifndef CKERNELS_EIGHTS_H
#define CKERNELS_EIGHTS_H

#include "isa.h"

// Number j of row r at 16 j + r.
typedef struct Computed {
  double weights[CKernels_candidates_max * LANES];
  double slopes[CKernels_candidates_max * LANES];
  double levels[CKernels_candidates_max * LANES];
  // Bit r: whether candidate j of row r is selected.
  uint16_t active[CKernels_candidates_max];
  // The weight that a row's entries share.
  double shared[LANES];
} Computed;

INLINE eight_f64 clamped(eight_f64 number) { return number < DBL_MAX ? number : DBL_MAX; }

// All ones in the lanes whose bit is set.
INLINE eight_i64 lanes_of(unsigned bits) {
  const eight_i64 lane_bits = {1, 2, 4, 8, 16, 32, 64, 128};
  return ((int64_t)bits & lane_bits) != 0;
}

// All candidates of eight rows from row `first` on. In hard rows all entries are full, also those
// of an unusual row.
INLINE void compute_eight(const CKernels_ShortRows *of, size_t first, const bool is_magnitude,
                          const bool is_cubic, const bool is_derived, bool skips_hard,
                          Computed *to) {
  const eight_i64 hard = lanes_of(of->hard >> first & 0xff);
  const eight_f64 lambda = LOAD(eight_f64, of->lambdas + first), inverse = 1 / lambda;
  const eight_f64 kth = LOAD(eight_f64, of->kths + first);
  const eight_f64 next = LOAD(eight_f64, of->nexts + first);
  const eight_f64 t = LOAD(eight_f64, of->roots + first);
  const eight_f64 cap = is_magnitude ? next - lambda * t : 1;
  const eight_f64 least = skips_hard ? INFINITY : kth;
  eight_i64 capped = 0;
  for (size_t j = 0; j < of->most[first / EIGHT]; ++j) {
    const eight_f64 scores = LOAD(eight_f64, of->scores + j * LANES + first);
    eight_f64 u = (scores - next) * inverse + t;
    eight_f64 power = is_cubic ? u * u * u : u;
    eight_i64 is_active = hard ? scores >= least : u > 0;
    eight_i64 is_capped = hard | (power >= cap);
    eight_f64 full = is_magnitude ? scores : 1;
    eight_f64 part = is_magnitude ? lambda * u + power : power;
    STORE(to->weights + j * LANES + first, is_capped ? full : part);
    ((uint8_t *)&to->active[j])[first / EIGHT] = EIGHT_BITS(is_active);
    if (is_derived) {
      eight_f64 slopes = (is_cubic ? 3 * u * u : 1) * inverse;
      STORE(to->slopes + j * LANES + first, is_capped ? 0 : clamped(slopes));
      STORE(to->levels + j * LANES + first, is_capped ? 0 : clamped(u));
      capped -= is_active & is_capped;
    }
  }
  if (!is_derived) return;
  for (size_t l = 0; l < EIGHT; ++l) {
    // At least one entry is active by a full weight; rounding may have capped it.
    const int64_t left = of->ks[first + l] - capped[l];
    to->shared[first + l] = (double)(left > 1 ? left : 1);
  }
}

#endif
