// Products with the Jacobian of one segment of a solved row (Jacobian.swift has the mathematics).
#include "isa.h"

// 1 / a power of two about `largest`: multiplying by it is exact, and cheaper than dividing.
INLINE double inverse_scale(double largest) {
  uint64_t bits;
  memcpy(&bits, &largest, sizeof bits);
  bits &= UINT64_C(0x7ff0000000000000);
  double power;
  memcpy(&power, &bits, sizeof power);
  return power > 0 ? 1 / power : 0x1p1022;
}

INLINE double in_range(double number) {
  return number > DBL_MAX ? DBL_MAX : number < -DBL_MAX ? -DBL_MAX : number;
}

// The first of the largest slopes.
INLINE size_t steepest(const double *slopes, size_t n) {
  if (n < LANES) {
    size_t at = 0;
    for (size_t i = 1; i < n; ++i) at = slopes[i] > slopes[at] ? i : at;
    return at;
  }
  line_f64 best = 0;
  for (size_t i = 0; i < n; i += LANES) {
    line_f64 line = LOAD(line_f64, slopes + i);
    for (size_t l = n - i; l < LANES; ++l) line[l] = 0;
    best = line > best ? line : best;
  }
  double largest = 0;
  for (int l = 0; l < LANES; ++l) largest = best[l] > largest ? best[l] : largest;
  for (size_t i = 0; i < n; ++i) {
    if (slopes[i] == largest) return i;
  }
  return 0;
}

#define LINE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
#define QUAD_NUMBERS {0, 1, 2, 3}

// One segment's products, by lines of TYPE; `at` is the steepest of its n entries.
#define DEFINE_PRODUCTS(SUFFIX, TYPE, MASK, WIDTH, NUMBERS, SUM)                                   \
  /* Up to one line of an array that has room for whole ones; zeros from n on: what has no slope   \
     takes no part. Neither way calls memcpy, which took longer than all else in short rows. */    \
  INLINE TYPE SUFFIX##_at(const double *values, size_t i, size_t n) {                              \
    const MASK lanes = NUMBERS;                                                                    \
    TYPE line;                                                                                     \
    __builtin_memcpy_inline(&line, values + i, sizeof line);                                       \
    return lanes < (int64_t)(n - i) ? line : 0;                                                    \
  }                                                                                                \
                                                                                                   \
  INLINE void put_##SUFFIX(double *values, size_t i, size_t n, TYPE line) {                        \
    if (i + WIDTH <= n) {                                                                          \
      __builtin_memcpy_inline(values + i, &line, sizeof line);                                     \
    } else {                                                                                       \
      for (size_t l = 0; l < n - i; ++l) values[i + l] = line[l];                                  \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  INLINE TYPE clamped_##SUFFIX(TYPE number) {                                                      \
    number = number < DBL_MAX ? number : DBL_MAX;                                                  \
    return number > -DBL_MAX ? number : -DBL_MAX;                                                  \
  }                                                                                                \
                                                                                                   \
  INLINE double mask_##SUFFIX(const double *slopes, const double *levels, size_t n, size_t at,     \
                              double *c) {                                                         \
    const double inverse = inverse_scale(slopes[at]);                                              \
    const double level = levels[at], origin = c[at];                                               \
    TYPE totals = 0, moments = 0;                                                                  \
    for (size_t i = 0; i < n; i += WIDTH) {                                                        \
      TYPE ratio = SUFFIX##_at(slopes, i, n) * inverse;                                            \
      totals += ratio;                                                                             \
      moments += ratio * (SUFFIX##_at(c, i, n) - origin);                                          \
    }                                                                                              \
    const double average = SUM(moments) / SUM(totals);                                             \
    TYPE gradients = 0;                                                                            \
    for (size_t i = 0; i < n; i += WIDTH) {                                                        \
      TYPE slope = SUFFIX##_at(slopes, i, n);                                                      \
      TYPE product =                                                                               \
          clamped_##SUFFIX(slope * ((SUFFIX##_at(c, i, n) - origin) - average));                   \
      product = slope > 0 ? product : 0;                                                           \
      put_##SUFFIX(c, i, n, product);                                                              \
      /* Relative to one level: the products sum up to 0 but for rounding. */                      \
      gradients -= clamped_##SUFFIX(product * (SUFFIX##_at(levels, i, n) - level));                \
    }                                                                                              \
    return in_range(SUM(gradients));                                                               \
  }                                                                                                \
                                                                                                   \
  INLINE double magnitude_##SUFFIX(const double *slopes, const double *levels, size_t n,           \
                                   size_t at, double weight, bool is_transposed, double *c) {      \
    /* a - c* = (sum(D (c - c*)) + sum(c) - K c*) / (sum(D) + K) with c* of the steepest. */       \
    const double origin = c[at];                                                                   \
    const double inverse = slopes[at] > 1 ? inverse_scale(slopes[at]) : 1;                         \
    TYPE totals = 0, moments = 0;                                                                  \
    for (size_t i = 0; i < n; i += WIDTH) {                                                        \
      TYPE slope = SUFFIX##_at(slopes, i, n), value = SUFFIX##_at(c, i, n);                        \
      TYPE ratio = slope * inverse;                                                                \
      totals += ratio;                                                                             \
      moments += ratio * (value - origin);                                                         \
      if (is_transposed) moments += slope > 0 ? value * inverse : 0;                               \
    }                                                                                              \
    const double total = SUM(totals) + weight * inverse;                                           \
    const double average = (SUM(moments) - weight * inverse * origin) / total;                     \
    TYPE gradients = 0;                                                                            \
    for (size_t i = 0; i < n; i += WIDTH) {                                                        \
      TYPE slope = SUFFIX##_at(slopes, i, n), value = SUFFIX##_at(c, i, n);                        \
      TYPE difference = (value - origin) - average;                                                \
      TYPE correction = clamped_##SUFFIX(slope * difference);                                      \
      TYPE product = clamped_##SUFFIX((is_transposed ? value : difference) + correction);          \
      put_##SUFFIX(c, i, n, slope > 0 ? product : value);                                          \
      if (is_transposed) {                                                                         \
        TYPE gradient = clamped_##SUFFIX(correction * SUFFIX##_at(levels, i, n));                  \
        gradients -= slope > 0 ? gradient : 0;                                                     \
      }                                                                                            \
    }                                                                                              \
    return in_range(SUM(gradients));                                                               \
  }

DEFINE_PRODUCTS(line, line_f64, line_i64, LANES, LINE_NUMBERS, sum_of)
DEFINE_PRODUCTS(quad, quad_f64, quad_i64, QUAD, QUAD_NUMBERS, sum_of_quad)

KERNEL(void, CKernels_mask_product,
       (const CKernels_Jacobians *of, double *c, double *gradients), (of, c, gradients)) {
  for (size_t s = 0; s < of->count; ++s) {
    const size_t start = of->segments[s].start, n = of->segments[s].end - start;
    const double *slopes = of->slopes + start, *levels = of->levels + start;
    gradients[s] = 0;
    if (n == 0) continue;
    const size_t at = steepest(slopes, n);
    if (!(slopes[at] > 0)) {
      for (size_t i = start; i < start + n; ++i) c[i] = 0;
    } else if (n <= QUAD) {
      gradients[s] = mask_quad(slopes, levels, n, at, c + start);
    } else {
      gradients[s] = mask_line(slopes, levels, n, at, c + start);
    }
  }
}

// dy/dx of a magnitude block of one entry: (1 + D) K / (D + K), which is K as D grows. Neither
// 1 / D nor K D may overflow on the way.
INLINE double single_factor(double slope, double weight) {
  return slope < 1 ? (1 + slope) * (weight / (slope + weight))
                   : (1 + 1 / slope) * (weight / (1 + weight / slope));
}

KERNEL(void, CKernels_magnitude_product,
       (const CKernels_Jacobians *of, bool is_transposed, double *c, double *gradients),
       (of, is_transposed, c, gradients)) {
  for (size_t s = 0; s < of->count; ++s) {
    const size_t start = of->segments[s].start, n = of->segments[s].end - start;
    const double *slopes = of->slopes + start, *levels = of->levels + start;
    const double weight = of->segments[s].weight;
    gradients[s] = 0;
    if (n == 0) continue;
    const size_t at = steepest(slopes, n);
    if (!(slopes[at] > 0)) continue;
    if (n == 1) {
      const double factor = single_factor(slopes[0], weight);
      gradients[s] = -in_range((factor - 1) * c[start] * levels[0]);
      c[start] *= factor;
    } else if (n <= QUAD) {
      gradients[s] = magnitude_quad(slopes, levels, n, at, weight, is_transposed, c + start);
    } else {
      gradients[s] = magnitude_line(slopes, levels, n, at, weight, is_transposed, c + start);
    }
  }
}
