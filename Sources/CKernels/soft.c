// SOFT top-k: y_i = sigma((x_i - t) / tau), whose sum over a row is k (SoftThreshold.swift), from
// the distances that measure.c makes: passes over a row, or over those of its entries that matter.
#include "isa.h"

// One AVX2 register.
typedef eight_f32 slice_f32;
typedef quad_f64 slice_f64;
typedef eight_i32 slice_i32;
typedef quad_i64 slice_i64;

#define SLICE_BITS_f32(NUMBER) LOAD(slice_i32, &(slice_f32){NUMBER})
#define SLICE_BITS_f64(NUMBER) LOAD(slice_i64, &(slice_f64){NUMBER})
#define SIGN_f32 INT32_MIN
#define SIGN_f64 INT64_MIN

INLINE double sum_of_f64(slice_f64 slice) { return sum_of_quad(slice); }
INLINE double sum_of_f32(slice_f32 slice) {
  return sum_of_eight(__builtin_convertvector(slice, eight_f64));
}

// A sum of so many numbers at a time keeps the digits of float32.
enum { RUN = 8 * LANES };
// What the steepest entry is looked for in, once it is known to be there.
enum { BLOCK = 1024 };

#define DEFINE_SOFT(SUFFIX, NUMBER, SMALLEST)                                                      \
  /* Of a distance: q, and 1 - q without the subtraction. */                                       \
  typedef struct Shares_##SUFFIX {                                                                 \
    slice_##SUFFIX other, own;                                                                     \
  } Shares_##SUFFIX;                                                                               \
                                                                                                   \
  INLINE NUMBER bounded_##SUFFIX(double s) {                                                       \
    return (NUMBER)(s < SMALLEST ? SMALLEST : s > 1 / SMALLEST ? 1 / SMALLEST : s);                \
  }                                                                                                \
                                                                                                   \
  INLINE Shares_##SUFFIX shares_##SUFFIX(slice_##SUFFIX entry, double s) {                         \
    const NUMBER below = bounded_##SUFFIX(s), above = bounded_##SUFFIX(1 / s);                     \
    slice_##SUFFIX size = __builtin_elementwise_abs(entry);                                        \
    slice_##SUFFIX rest =                                                                          \
        SLICE_BITS_##SUFFIX(entry) < 0 ? (slice_##SUFFIX)above : (slice_##SUFFIX)below;            \
    slice_##SUFFIX inverse = 1 / (size + rest);                                                    \
    return (Shares_##SUFFIX){size * inverse, rest * inverse};                                      \
  }                                                                                                \
                                                                                                   \
  /* A number with the sign of an entry changed into it. */                                        \
  INLINE slice_##SUFFIX signed_##SUFFIX(slice_##SUFFIX number, slice_##SUFFIX entry) {             \
    __typeof__(SLICE_BITS_##SUFFIX(entry)) bits =                                                  \
        SLICE_BITS_##SUFFIX(number) ^ (SLICE_BITS_##SUFFIX(entry) & SIGN_##SUFFIX);                \
    return LOAD(slice_##SUFFIX, &bits);                                                            \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftSums, CKernels_soft_sums_##SUFFIX, (const NUMBER *e, size_t n, double s),    \
         (e, n, s)) {                                                                              \
    CKernels_SoftSums sums = {0};                                                                  \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    for (size_t start = 0; start < n; start += RUN) {                                              \
      slice_##SUFFIX excess = 0, slopes = 0, bend = 0, squares = 0;                                \
      const size_t end = start + RUN < n ? start + RUN : n;                                        \
      for (size_t i = start; i < end; i += step) {                                                 \
        slice_##SUFFIX entry = LOAD(slice_##SUFFIX, e + i);                                        \
        Shares_##SUFFIX shares = shares_##SUFFIX(entry, s);                                        \
        slice_##SUFFIX slope = shares.other * shares.own;                                          \
        slice_##SUFFIX curve = slope * (shares.own - shares.other);                                \
        excess += signed_##SUFFIX(shares.other, entry);                                            \
        slopes += slope;                                                                           \
        bend += signed_##SUFFIX(curve, entry);                                                     \
        squares += slope * slope;                                                                  \
      }                                                                                            \
      sums.excess += sum_of_##SUFFIX(excess);                                                      \
      sums.slope += sum_of_##SUFFIX(slopes);                                                       \
      sums.bend += sum_of_##SUFFIX(bend);                                                          \
      sums.squares += sum_of_##SUFFIX(squares);                                                    \
    }                                                                                              \
    return sums;                                                                                   \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftSides, CKernels_soft_sides_##SUFFIX, (const NUMBER *e, size_t n, double s),  \
         (e, n, s)) {                                                                              \
    CKernels_SoftSides sides = {0};                                                                \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    for (size_t i = 0; i < n; i += step) {                                                         \
      slice_##SUFFIX entry = LOAD(slice_##SUFFIX, e + i);                                          \
      Shares_##SUFFIX shares = shares_##SUFFIX(entry, s);                                          \
      slice_##SUFFIX share = shares.other;                                                         \
      slice_##SUFFIX slope = share * shares.own;                                                   \
      sides.below += sum_of_##SUFFIX(SLICE_BITS_##SUFFIX(entry) < 0 ? 0 : share);                  \
      sides.above += sum_of_##SUFFIX(SLICE_BITS_##SUFFIX(entry) < 0 ? share : 0);                  \
      sides.slope_below += sum_of_##SUFFIX(SLICE_BITS_##SUFFIX(entry) < 0 ? 0 : slope);            \
      sides.slope_above += sum_of_##SUFFIX(SLICE_BITS_##SUFFIX(entry) < 0 ? slope : 0);            \
    }                                                                                              \
    return sides;                                                                                  \
  }                                                                                                \
                                                                                                   \
  KERNEL(bool, CKernels_soft_weights_##SUFFIX, (NUMBER * e, size_t n, double s), (e, n, s)) {      \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    __typeof__(SLICE_BITS_##SUFFIX(0)) are_positive = -1;                                          \
    size_t i = 0;                                                                                  \
    for (; i < n; i += step) {                                                                     \
      slice_##SUFFIX entry = LOAD(slice_##SUFFIX, e + i);                                          \
      Shares_##SUFFIX shares = shares_##SUFFIX(entry, s);                                          \
      slice_##SUFFIX weights = SLICE_BITS_##SUFFIX(entry) < 0 ? shares.own : shares.other;         \
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
  KERNEL(size_t, CKernels_soft_slopes_##SUFFIX, (NUMBER * e, size_t n, double s), (e, n, s)) {     \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
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

DEFINE_SOFT(f32, float, 0x1p-120)
DEFINE_SOFT(f64, double, 0x1p-1015)
