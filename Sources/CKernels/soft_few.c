// SOFT top-k where few entries are near the threshold: y and its slopes by two terms of their
// series, which costs no division, and as they are where they are near. The errors are r^2 of y and
// 4 r^3 of a slope, r <= 2^-12 (2^-26 in float64).
#include "fused.h"

// r - r^2, and r - 2 r^2 + 3 r^3.
INLINE eight_f32 share_f32(bool is_fast, eight_f32 r) { return fused(is_fast, -r, r, r); }
INLINE eight_f32 slope_f32(bool is_fast, eight_f32 r) {
  return r * fused(is_fast, r, fused(is_fast, 3, r, -2), 1);
}
INLINE eight_f64 share_f64(bool is_fast, eight_f64 r) {
  (void)is_fast;
  return r - r * r;
}
INLINE eight_f64 slope_f64(bool is_fast, eight_f64 r) {
  (void)is_fast;
  return r * (1 - r * (2 - 3 * r));
}

#define DEFINE_SOFT_FEW(SUFFIX, NUMBER, HUGE_ENTRY)                                                \
  KERNEL(bool, CKernels_soft_few_weights_##SUFFIX,                                                 \
         (NUMBER * e, size_t n, double s, const int32_t *columns, NUMBER *near, size_t near_count),\
         (e, n, s, columns, near, near_count)) {                                                   \
    const NUMBER inverse = (NUMBER)(1 / s);                                                        \
    for (size_t i = 0; i < near_count; i += LANES) {                                               \
      line_##SUFFIX entries = LOAD(line_##SUFFIX, near + i);                                       \
      STORE(near + i, entries / (entries + (NUMBER)s));                                            \
    }                                                                                              \
    const size_t whole = n / EIGHT * EIGHT;                                                        \
    eight_##SUFFIX smallest = 1;                                                                   \
    for (size_t i = 0; i < whole; i += EIGHT) {                                                    \
      eight_##SUFFIX r = LOAD(eight_##SUFFIX, e + i) * inverse;                                    \
      smallest = r < smallest ? r : smallest;                                                      \
      STORE(e + i, share_##SUFFIX(is_fast, r));                                                    \
    }                                                                                              \
    if (whole < n) {                                                                               \
      STORE(e + whole, share_##SUFFIX(is_fast, LOAD(eight_##SUFFIX, e + whole) * inverse));        \
    }                                                                                              \
    bool is_full = true;                                                                           \
    for (size_t l = 0; l < EIGHT; ++l) is_full &= smallest[l] > 0;                                 \
    for (size_t i = 0; i < near_count; ++i) e[columns[i]] = near[i];                               \
    for (size_t i = whole; i < n; ++i) is_full &= e[i] > 0;                                        \
    return is_full;                                                                                \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_soft_few_slopes_##SUFFIX,                                                \
         (NUMBER * e, size_t n, double s, const int32_t *columns, NUMBER *near, size_t near_count),\
         (e, n, s, columns, near, near_count)) {                                                   \
    const NUMBER inverse = (NUMBER)(1 / s);                                                        \
    line_##SUFFIX best = -1;                                                                       \
    for (size_t i = 0; i < near_count; i += LANES) {                                               \
      line_##SUFFIX entries = LOAD(line_##SUFFIX, near + i);                                       \
      line_##SUFFIX part = 1 / (entries + (NUMBER)s);                                              \
      line_##SUFFIX slopes = entries < HUGE_ENTRY ? entries * part * ((NUMBER)s * part) : 0;       \
      STORE(near + i, slopes);                                                                     \
      best = slopes > best ? slopes : best;                                                        \
    }                                                                                              \
    for (size_t i = 0; i < n; i += EIGHT) {                                                        \
      eight_##SUFFIX r = LOAD(eight_##SUFFIX, e + i) * inverse;                                    \
      STORE(e + i, slope_##SUFFIX(is_fast, r));                                                    \
    }                                                                                              \
    NUMBER most = -1;                                                                              \
    for (size_t l = 0; l < LANES; ++l) most = best[l] > most ? best[l] : most;                     \
    size_t steepest = 0;                                                                           \
    for (size_t i = 0; i < near_count; ++i) {                                                      \
      e[columns[i]] = near[i];                                                                     \
      if (near[i] == most) steepest = (size_t)columns[i];                                          \
    }                                                                                              \
    return steepest;                                                                               \
  }

DEFINE_SOFT_FEW(f32, float, 0x1p124f)
DEFINE_SOFT_FEW(f64, double, 0x1p1020)
