// Products of a cotangent with the Jacobians of a few short rows, with SIMD across the rows.
//
// The mathematics of products.c, for numbers that need no scale of their own: cotangents are floats
// and lambda and the scores are usual (roots.c), so that a slope D is at most 2^70. The largest of
// a row is below 2^-70 only where rounding caps all that would share (2^-140 was the least of a
// million rows beside kinks): far from the ends of a double either way.
#include "eights.h"

// Gradient j of row r at 16 j + r, and what lambda's gradient is.
typedef struct Products {
  double values[CKernels_candidates_max * LANES];
  double gradients[LANES];
} Products;

// What stands in c for candidate j of each row; behind a row's last anything.
INLINE eight_f64 at_candidates(const CKernels_ShortRows *of, const float *c, eight_i32 starts,
                               size_t first, size_t j) {
  const eight_i32 columns = LOAD(eight_i32, of->columns + j * LANES + first);
  const eight_i32 is_column = (columns >= 0) & (columns < (int32_t)of->n);
  const eight_i32 places = starts + (is_column ? columns : 0);
  eight_f32 line;
  for (size_t l = 0; l < EIGHT; ++l) line[l] = c[places[l]];
  return __builtin_convertvector(line, eight_f64);
}

INLINE eight_f64 signs_at(const CKernels_ShortRows *of, size_t first, size_t j) {
  const eight_f64 sign = lanes_of(of->negative[j] >> first & 0xff) ? (eight_f64)-1 : 1;
  return LOAD(eight_f64, of->scores + j * LANES + first) > 0 ? sign : 0;
}

// mask: g = D (c - sum(D c) / sum(D)). magnitude, for c and g times sign(x): g = c + D (c - a), a =
// sum((1 + D) c) / (sum(D) + K). Relative to the c of the steepest entry, so that nothing cancels.
INLINE void multiply_eight(const CKernels_ShortRows *of, const Computed *at, const float *c,
                           const int32_t *row_starts, size_t first, const bool is_magnitude,
                           double sign, Products *to) {
  const size_t m = of->most[first / EIGHT];
  const eight_f64 none = 0;
  const eight_i32 starts = LOAD(eight_i32, row_starts + first);
  eight_f64 cs[CKernels_candidates_max], signs[CKernels_candidates_max];
  eight_f64 slopes[CKernels_candidates_max];
  eight_f64 steepest = 0, origin = 0, level = 0;
  for (size_t j = 0; j < m; ++j) {
    cs[j] = at_candidates(of, c, starts, first, j);
    if (is_magnitude) {
      signs[j] = signs_at(of, first, j);
      cs[j] *= signs[j];
    }
    const eight_i64 is_active = lanes_of(at->active[j] >> first & 0xff);
    slopes[j] = is_active ? LOAD(eight_f64, at->slopes + j * LANES + first) : 0;
    const eight_i64 is_steeper = slopes[j] > steepest;
    origin = is_steeper ? cs[j] : origin;
    level = is_steeper ? LOAD(eight_f64, at->levels + j * LANES + first) : level;
    steepest = is_steeper ? slopes[j] : steepest;
  }
  eight_f64 totals = is_magnitude ? LOAD(eight_f64, at->shared + first) : none;
  eight_f64 moments = is_magnitude ? -totals * origin : none;
  for (size_t j = 0; j < m; ++j) {
    totals += slopes[j];
    moments += slopes[j] * (cs[j] - origin);
    if (is_magnitude) moments += slopes[j] > 0 ? cs[j] : 0;
  }
  const eight_f64 average = moments / totals;
  eight_f64 gradients = 0;
  for (size_t j = 0; j < m; ++j) {
    const eight_f64 levels = LOAD(eight_f64, at->levels + j * LANES + first);
    const eight_f64 correction = slopes[j] > 0 ? slopes[j] * ((cs[j] - origin) - average) : 0;
    eight_f64 product = sign * correction;
    if (is_magnitude) {
      const eight_i64 is_active = lanes_of(at->active[j] >> first & 0xff);
      product = is_active ? (cs[j] + correction) * signs[j] : 0;
    }
    STORE(to->values + j * LANES + first, product);
    // mask: relative to one level, for the products sum up to 0 but for rounding.
    const eight_f64 of_level = correction * (is_magnitude ? levels : levels - level);
    gradients -= slopes[j] > 0 ? of_level : 0;
  }
  for (size_t j = m; j % 4 != 0; ++j) STORE(to->values + j * LANES + first, none);
  STORE(to->gradients + first, gradients);
}

INLINE size_t row_products(const CKernels_ShortRows *of, size_t first, size_t end, const float *c,
                           double sign, const bool is_magnitude, const bool is_cubic,
                           double *values, int32_t *columns, CKernels_Segment *segments,
                           double *gradients) {
  Computed computed;
  Products products;
  int32_t starts[LANES] = {0};  // There are no rows behind the last.
  for (size_t r = 0; r < end; ++r) starts[r] = (int32_t)(r * of->n);
  for (size_t eight = first - first % EIGHT; eight < end; eight += EIGHT) {
    compute_eight(of, eight, is_magnitude, is_cubic, true, !is_magnitude, &computed);
    multiply_eight(of, &computed, c, starts, eight, is_magnitude, sign, &products);
  }
  size_t count = 0;
  for (size_t r = first; r < end; ++r) {
    CKernels_Segment *segment = segments + (r - first);
    segment->start = count;
    // Four at a time, whether there are so many or not: how many there are is hard to guess.
    for (size_t i = 0; i < (size_t)of->counts[r]; i += 4) {
      for (size_t at = i * LANES + r; at < (i + 4) * LANES; at += LANES) {
        columns[count] = of->columns[at];
        values[count] = products.values[at];
        count += products.values[at] != 0;
      }
    }
    segment->end = count;
    segment->weight = 1;
    gradients[r - first] = products.gradients[r];
  }
  return count;
}

KERNEL(size_t, CKernels_row_products,
       (const CKernels_ShortRows *of, size_t first, size_t end, const float *c, double sign,
        double *values, int32_t *columns, CKernels_Segment *segments, double *gradients),
       (of, first, end, c, sign, values, columns, segments, gradients)) {
  const bool is_cubic = of->e == 3;
#define ROW_PRODUCTS(IS_MAGNITUDE, IS_CUBIC)                                                       \
  row_products(of, first, end, c, sign, IS_MAGNITUDE, IS_CUBIC, values, columns, segments,         \
               gradients)
  if (of->is_magnitude) return is_cubic ? ROW_PRODUCTS(true, true) : ROW_PRODUCTS(true, false);
  return is_cubic ? ROW_PRODUCTS(false, true) : ROW_PRODUCTS(false, false);
#undef ROW_PRODUCTS
}
