// SOFT top-k: y_i = sigma((x_i - t) / tau), whose sum over a row is k (SoftThreshold.swift), from
// what measure.c makes of a row: passes over the row, or over those of its entries that matter.
#include "isa.h"

// One AVX2 register.
typedef eight_f32 slice_f32;
typedef quad_f64 slice_f64;

INLINE double sum_of_f64(slice_f64 slice) { return sum_of_quad(slice); }
INLINE double sum_of_f32(slice_f32 slice) {
  return sum_of_eight(__builtin_convertvector(slice, eight_f64));
}

// How many lanes of a comparison hold.
INLINE size_t lanes_of_f64(quad_i64 is_true) {
  return (size_t)__builtin_popcount(QUAD_BITS(is_true) & ((1 << QUAD) - 1));
}
INLINE size_t lanes_of_f32(eight_i32 is_true) {
  return (size_t)__builtin_popcount(EIGHT_BITS(is_true));
}

INLINE quad_f64 quad_of_f64(slice_f64 slice) { return slice; }
INLINE quad_f64 quad_of_f32(slice_f32 slice) {
  eight_f64 wide = __builtin_convertvector(slice, eight_f64);
  return wide.lo + wide.hi;
}

// `sum_of_quad` of four.
INLINE quad_f64 sums_of_quads(quad_f64 a, quad_f64 b, quad_f64 c, quad_f64 d) {
  quad_f64 ab = __builtin_shufflevector(a, b, 0, 1, 4, 5) +
                __builtin_shufflevector(a, b, 2, 3, 6, 7);
  quad_f64 cd = __builtin_shufflevector(c, d, 0, 1, 4, 5) +
                __builtin_shufflevector(c, d, 2, 3, 6, 7);
  return __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
}

// A sum of so many numbers at a time keeps the digits of float32.
enum { RUN = 8 * LANES };
// What the steepest entry is looked for in, once it is known to be there.
enum { BLOCK = 1024 };

// SMALLEST: of s and 1 / s. HUGE_ENTRY: whoever has it is beside no threshold: y = 1, no slope.
#define DEFINE_SOFT(SUFFIX, NUMBER, SMALLEST, HUGE_ENTRY)                                          \
  typedef __typeof__((slice_##SUFFIX){0} > 0) slice_mask_##SUFFIX;                                 \
                                                                                                   \
  /* Of an entry: y, and 1 - y without the subtraction. */                                         \
  typedef struct Shares_##SUFFIX {                                                                 \
    slice_##SUFFIX own, other;                                                                     \
  } Shares_##SUFFIX;                                                                               \
                                                                                                   \
  INLINE NUMBER bounded_##SUFFIX(double s) {                                                       \
    return (NUMBER)(s < SMALLEST ? SMALLEST : s > 1 / SMALLEST ? 1 / SMALLEST : s);                \
  }                                                                                                \
                                                                                                   \
  INLINE Shares_##SUFFIX shares_##SUFFIX(slice_##SUFFIX entries, NUMBER s) {                       \
    slice_##SUFFIX inverse = 1 / (entries + s);                                                    \
    return (Shares_##SUFFIX){entries * inverse, entries < HUGE_ENTRY ? s * inverse : 0};           \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftSums, CKernels_soft_sums_##SUFFIX,                                           \
         (const NUMBER *e, size_t n, double at, bool counts_centre), (e, n, at, counts_centre)) {  \
    quad_f64 sums = 0;                                                                             \
    size_t above = 0;                                                                              \
    const NUMBER s = bounded_##SUFFIX(at);                                                         \
    const NUMBER last_below = (NUMBER)(counts_centre ? 1 - SMALLEST_STEP_##SUFFIX : 1);            \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    for (size_t start = 0; start < n; start += RUN) {                                              \
      slice_##SUFFIX excess = 0, slopes = 0, bend = 0, squares = 0;                                \
      const size_t end = start + RUN < n ? start + RUN : n;                                        \
      for (size_t i = start; i < end; i += step) {                                                 \
        slice_##SUFFIX entries = LOAD(slice_##SUFFIX, e + i);                                      \
        Shares_##SUFFIX shares = shares_##SUFFIX(entries, s);                                      \
        slice_mask_##SUFFIX is_above = entries > last_below;                                       \
        slice_##SUFFIX slope = shares.own * shares.other;                                          \
        excess += is_above ? -shares.other : shares.own;                                           \
        slopes += slope;                                                                           \
        bend += slope * (shares.other - shares.own);                                               \
        squares += slope * slope;                                                                  \
        above += lanes_of_##SUFFIX(is_above);                                                      \
      }                                                                                            \
      sums += sums_of_quads(quad_of_##SUFFIX(excess), quad_of_##SUFFIX(slopes),                    \
                            quad_of_##SUFFIX(bend), quad_of_##SUFFIX(squares));                    \
    }                                                                                              \
    return (CKernels_SoftSums){above, sums[0], sums[1], sums[2], sums[3]};                         \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftSides, CKernels_soft_sides_##SUFFIX,                                         \
         (const NUMBER *e, size_t n, double at, bool counts_centre), (e, n, at, counts_centre)) {  \
    CKernels_SoftSides sides = {0};                                                                \
    const NUMBER s = bounded_##SUFFIX(at);                                                         \
    const NUMBER last_below = (NUMBER)(counts_centre ? 1 - SMALLEST_STEP_##SUFFIX : 1);            \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    for (size_t i = 0; i < n; i += step) {                                                         \
      slice_##SUFFIX entries = LOAD(slice_##SUFFIX, e + i);                                        \
      Shares_##SUFFIX shares = shares_##SUFFIX(entries, s);                                        \
      slice_mask_##SUFFIX is_above = entries > last_below;                                         \
      slice_##SUFFIX slope = shares.own * shares.other;                                            \
      sides.below += sum_of_##SUFFIX(is_above ? 0 : shares.own);                                   \
      sides.above += sum_of_##SUFFIX(is_above ? shares.other : 0);                                 \
      sides.slope_below += sum_of_##SUFFIX(is_above ? 0 : slope);                                  \
      sides.slope_above += sum_of_##SUFFIX(is_above ? slope : 0);                                  \
    }                                                                                              \
    return sides;                                                                                  \
  }                                                                                                \
                                                                                                   \
  KERNEL(bool, CKernels_soft_weights_##SUFFIX, (NUMBER * e, size_t n, double at), (e, n, at)) {    \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    const NUMBER s = bounded_##SUFFIX(at);                                                         \
    slice_mask_##SUFFIX are_positive = -1;                                                         \
    size_t i = 0;                                                                                  \
    for (; i < n; i += step) {                                                                     \
      slice_##SUFFIX weights = shares_##SUFFIX(LOAD(slice_##SUFFIX, e + i), s).own;                \
      STORE(e + i, weights);                                                                       \
      /* What lies behind the row is 0. */                                                         \
      if (i + step <= n) are_positive &= weights > 0;                                              \
    }                                                                                              \
    bool is_full = true;                                                                           \
    for (size_t l = 0; l < step; ++l) is_full &= are_positive[l] != 0;                             \
    for (i = n / step * step; i < n; ++i) is_full &= e[i] > 0;                                     \
    return is_full;                                                                                \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_soft_slopes_##SUFFIX, (NUMBER * e, size_t n, double at), (e, n, at)) {   \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    const NUMBER s = bounded_##SUFFIX(at);                                                         \
    size_t steepest = 0;                                                                           \
    NUMBER most = -1;                                                                              \
    for (size_t start = 0; start < n; start += BLOCK) {                                            \
      const size_t end = start + BLOCK < n ? start + BLOCK : n;                                    \
      slice_##SUFFIX best = 0;                                                                     \
      for (size_t i = start; i < end; i += step) {                                                 \
        Shares_##SUFFIX shares = shares_##SUFFIX(LOAD(slice_##SUFFIX, e + i), s);                  \
        slice_##SUFFIX slopes = shares.other * shares.own;                                         \
        STORE(e + i, slopes);                                                                      \
        best = slopes > best ? slopes : best;                                                      \
      }                                                                                            \
      NUMBER largest = 0;                                                                          \
      for (size_t l = 0; l < step; ++l) largest = best[l] > largest ? best[l] : largest;           \
      if (largest > most) {                                                                        \
        most = largest;                                                                            \
        steepest = start;                                                                          \
      }                                                                                            \
    }                                                                                              \
    while (steepest + 1 < n && e[steepest] != most) ++steepest;                                    \
    return steepest;                                                                               \
  }

#define SMALLEST_STEP_f32 0x1p-24
#define SMALLEST_STEP_f64 0x1p-53

DEFINE_SOFT(f32, float, 0x1p-120, 0x1p124f)
DEFINE_SOFT(f64, double, 0x1p-1015, 0x1p1020)
