// Products with the Jacobian of one segment of a solved row (Jacobian.swift has the mathematics).
#include "isa.h"

// Up to one line of an array that has room for whole ones; zeros from n on: what has no slope takes
// no part. Neither way calls memcpy, which took longer than all else in short rows.
INLINE line_f64 line_at(const double *values, size_t i, size_t n) {
  const line_i64 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  line_f64 line;
  __builtin_memcpy_inline(&line, values + i, sizeof line);
  return lanes < (int64_t)(n - i) ? line : 0;
}

INLINE void put_line(double *values, size_t i, size_t n, line_f64 line) {
  if (i + LANES <= n) {
    __builtin_memcpy_inline(values + i, &line, sizeof line);
  } else {
    for (size_t l = 0; l < n - i; ++l) values[i + l] = line[l];
  }
}

INLINE line_f64 clamped(line_f64 number) {
  number = number < DBL_MAX ? number : DBL_MAX;
  return number > -DBL_MAX ? number : -DBL_MAX;
}

// 1 / a power of two about `largest`: multiplying by it is exact, and cheaper than dividing.
INLINE double inverse_scale(double largest) {
  uint64_t bits;
  memcpy(&bits, &largest, sizeof bits);
  bits &= UINT64_C(0x7ff0000000000000);
  double power;
  memcpy(&power, &bits, sizeof power);
  return power > 0 ? 1 / power : 0x1p1022;
}

INLINE double clamped_sum(line_f64 line) {
  double sum = sum_of(line);
  return sum > DBL_MAX ? DBL_MAX : sum < -DBL_MAX ? -DBL_MAX : sum;
}

KERNEL(size_t, CKernels_steepest, (const double *slopes, size_t n), (slopes, n)) {
  line_f64 best = 0;
  for (size_t i = 0; i < n; i += LANES) {
    line_f64 line = line_at(slopes, i, n);
    best = line > best ? line : best;
  }
  double largest = 0;
  for (int l = 0; l < LANES; ++l) largest = best[l] > largest ? best[l] : largest;
  for (size_t i = 0; i < n; ++i) {
    if (slopes[i] == largest) return i;
  }
  return 0;
}

KERNEL(double, CKernels_mask_product,
       (const double *slopes, const double *levels, size_t n, size_t steepest, double *c),
       (slopes, levels, n, steepest, c)) {
  const double inverse = inverse_scale(slopes[steepest]);
  const double level = levels[steepest], origin = c[steepest];
  line_f64 totals = 0, moments = 0;
  for (size_t i = 0; i < n; i += LANES) {
    line_f64 ratio = line_at(slopes, i, n) * inverse;
    totals += ratio;
    moments += ratio * (line_at(c, i, n) - origin);
  }
  const double average = sum_of(moments) / sum_of(totals);
  line_f64 gradients = 0;
  for (size_t i = 0; i < n; i += LANES) {
    line_f64 slope = line_at(slopes, i, n);
    line_f64 product = clamped(slope * ((line_at(c, i, n) - origin) - average));
    product = slope > 0 ? product : 0;
    put_line(c, i, n, product);
    // Relative to one level: the products sum up to 0 but for rounding.
    gradients -= clamped(product * (line_at(levels, i, n) - level));
  }
  return clamped_sum(gradients);
}

KERNEL(double, CKernels_magnitude_product,
       (const double *slopes, const double *levels, size_t n, size_t steepest, double weight,
        bool is_transposed, double *c),
       (slopes, levels, n, steepest, weight, is_transposed, c)) {
  const double origin = c[steepest];
  const double inverse = slopes[steepest] > 1 ? inverse_scale(slopes[steepest]) : 1;
  line_f64 totals = 0, moments = 0;
  for (size_t i = 0; i < n; i += LANES) {
    line_f64 slope = line_at(slopes, i, n), value = line_at(c, i, n);
    line_f64 ratio = slope * inverse;
    totals += ratio;
    moments += ratio * (value - origin);
    if (is_transposed) moments += slope > 0 ? value * inverse : 0;
  }
  const double total = sum_of(totals) + weight * inverse;
  const double average = (sum_of(moments) - weight * inverse * origin) / total;
  line_f64 gradients = 0;
  for (size_t i = 0; i < n; i += LANES) {
    line_f64 slope = line_at(slopes, i, n), value = line_at(c, i, n);
    line_f64 difference = (value - origin) - average;
    line_f64 correction = clamped(slope * difference);
    line_f64 product = clamped((is_transposed ? value : difference) + correction);
    put_line(c, i, n, slope > 0 ? product : value);
    if (is_transposed) {
      gradients -= slope > 0 ? clamped(correction * line_at(levels, i, n)) : 0;
    }
  }
  return clamped_sum(gradients);
}
