// SOFT top-k: y_i = sigma((x_i - t) / tau), whose sum over a row is k (SoftThreshold.swift).
//
// An entry is kept as the distance from a centre c: exp(-|x - c| / tau), negative where x > c. Then
// s = exp((t - c) / tau) moves the threshold with a division instead of another exponential, and
// both sides keep their small numbers: what an entry below lacks of 0, and one above of 1.
//
// float32 rows are computed in float32, but for differences and sums: twice as many lanes, and
// some units in the last place instead of half a unit.
#include "power.h"

// Two AVX2 registers, which hide each other's waiting; one where sums need the others.
typedef float part_f32 __attribute__((ext_vector_type(LANES)));
typedef double part_f64 __attribute__((ext_vector_type(LANES / 2)));
typedef int32_t part_i32 __attribute__((ext_vector_type(LANES)));
typedef int64_t part_i64 __attribute__((ext_vector_type(LANES / 2)));
typedef float slice_f32 __attribute__((ext_vector_type(LANES / 2)));
typedef double slice_f64 __attribute__((ext_vector_type(LANES / 4)));
typedef int32_t slice_i32 __attribute__((ext_vector_type(LANES / 2)));
typedef int64_t slice_i64 __attribute__((ext_vector_type(LANES / 4)));
typedef double half_f64 __attribute__((ext_vector_type(LANES / 2)));
typedef int32_t half_i32 __attribute__((ext_vector_type(LANES / 2)));
typedef float half_f32 __attribute__((ext_vector_type(LANES / 2)));

#define BITS_f32(NUMBER) LOAD(part_i32, &(part_f32){NUMBER})
#define BITS_f64(NUMBER) LOAD(part_i64, &(part_f64){NUMBER})
#define SLICE_BITS_f32(NUMBER) LOAD(slice_i32, &(slice_f32){NUMBER})
#define SLICE_BITS_f64(NUMBER) LOAD(slice_i64, &(slice_f64){NUMBER})
#define SIGN_f32 INT32_MIN
#define SIGN_f64 INT64_MIN

// e^a for a <= 0, within two units in the last place; 0 below -708.
INLINE part_f64 exp_of_negative(part_f64 a) {
  const double magic = 0x1.8p52;  // n + magic has round(n) in its lowest bits.
  part_f64 bounded = a > -708 ? a : -708;
  part_f64 shifted = bounded * 0x1.71547652b82fep0 + magic;
  part_f64 n = shifted - magic;
  // ln 2 in two parts; the first has 32 bits, so that n times it is exact.
  part_f64 r = (bounded - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  // The Chebyshev interpolant of degree 11 on |r| <= ln(2) / 2: off by less than 2^-55. By pairs
  // and their squares (Estrin): one term after the other would wait for each of them.
  part_f64 r2 = r * r, r4 = r2 * r2;
  part_f64 a2 = 0x1.0000000000011p-1 + r * 0x1.555555555555ap-3;
  part_f64 a4 = 0x1.555555554f0cep-5 + r * 0x1.111111110f225p-7;
  part_f64 a6 = 0x1.6c16c187fbe13p-10 + r * 0x1.a01a01b14379ap-13;
  part_f64 a8 = 0x1.a01991ac8440bp-16 + r * 0x1.71ddf5749b43dp-19;
  part_f64 a10 = 0x1.28b40581fba5cp-22 + r * 0x1.af631d03b18bfp-26;
  part_f64 sum = 1 + (r + r2 * ((a2 + r2 * a4) + r4 * ((a6 + r2 * a8) + r4 * a10)));
  part_i64 power = (BITS_f64(shifted) << 52) + 0x3ff0000000000000;
  return a > -708 ? sum * LOAD(part_f64, &power) : 0;
}

// f and n of a = n + f, for a <= 0; n is -127 below -126, whose power has the bits of 0.
INLINE void split_exponent(half_f64 a, half_f32 *f, half_i32 *n) {
  const double magic = 0x1.8p52;
  half_f64 bounded = a > -126 ? a : -127;
  half_f64 shifted = bounded + magic;
  *f = __builtin_convertvector(bounded - (shifted - magic), half_f32);
  *n = __builtin_convertvector(LOAD(part_i64, &shifted), half_i32);
}

// 2^a in float32 for 16 numbers a <= 0, within two units in the last place; 0 below -126.
INLINE part_f32 exp2_of_negative(half_f64 low, half_f64 high) {
  half_f32 f_low, f_high;
  half_i32 n_low, n_high;
  split_exponent(low, &f_low, &n_low);
  split_exponent(high, &f_high, &n_high);
  part_f32 f = __builtin_shufflevector(f_low, f_high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                       14, 15);
  part_i32 n = __builtin_shufflevector(n_low, n_high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                       14, 15);
  // The Chebyshev interpolant of degree 6 on |f| <= 1/2: off by less than 2^-27.
  part_f32 f2 = f * f;
  part_f32 a0 = 1 + f * 0x1.62e43p-1f;
  part_f32 a2 = 0x1.ebfbep-3f + f * 0x1.c6aeccp-5f;
  part_f32 a4 = 0x1.3b2a1cp-7f + f * 0x1.5f48cp-10f;
  part_f32 sum = a0 + f2 * (a2 + f2 * (a4 + f2 * 0x1.444p-13f));
  part_i32 power = (n + 127) << 23;
  return sum * LOAD(part_f32, &power);
}

KERNEL(void, CKernels_soft_distances_f32,
       (const float *x, size_t n, CKernels_Softness at, float *e), (x, n, at, e)) {
  const double centre = at.centre * at.scale, inverse = at.inverse * 0x1.71547652b82fep0;
  const int32_t flip = at.scale < 0 ? SIGN_f32 : 0;
  for (size_t i = 0; i < n; i += LANES) {
    part_f32 line = -INFINITY;
    if (i + LANES <= n) {
      line = LOAD(part_f32, x + i);
    } else {
      for (size_t l = 0; l < n - i; ++l) line[l] = x[i + l];
    }
    half_f32 low = __builtin_shufflevector(line, line, 0, 1, 2, 3, 4, 5, 6, 7);
    half_f32 high = __builtin_shufflevector(line, line, 8, 9, 10, 11, 12, 13, 14, 15);
    half_f64 below = centre - __builtin_convertvector(low, half_f64) * at.scale;
    half_f64 above = centre - __builtin_convertvector(high, half_f64) * at.scale;
    part_f32 power = exp2_of_negative(-__builtin_elementwise_abs(below) * inverse,
                                      -__builtin_elementwise_abs(above) * inverse);
    part_f32 signs = __builtin_shufflevector(
        __builtin_convertvector(below, half_f32), __builtin_convertvector(above, half_f32), 0, 1, 2,
        3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    part_i32 bits = BITS_f32(power) | ((BITS_f32(signs) ^ flip) & SIGN_f32);
    STORE(e + i, bits);
  }
}

KERNEL(void, CKernels_soft_distances_f64,
       (const double *x, size_t n, CKernels_Softness at, double *e), (x, n, at, e)) {
  const double centre = at.centre * at.scale;
  const int64_t flip = at.scale < 0 ? SIGN_f64 : 0;
  // Whole lines of 16: what is behind the row is infinitely far.
  for (size_t i = 0; i < (n + LANES - 1) / LANES * LANES; i += LANES / 2) {
    part_f64 line = -INFINITY;
    if (i + LANES / 2 <= n) {
      line = LOAD(part_f64, x + i);
    } else {
      for (size_t l = 0; i + l < n; ++l) line[l] = x[i + l];
    }
    part_f64 distance = centre - line * at.scale;
    part_f64 power = exp_of_negative(-__builtin_elementwise_abs(distance) * at.inverse);
    part_i64 bits = BITS_f64(power) | ((BITS_f64(distance) ^ flip) & SIGN_f64);
    STORE(e + i, bits);
  }
}

INLINE double sum_of_f64(slice_f64 slice) {
  return (slice[0] + slice[2]) + (slice[1] + slice[3]);
}

INLINE double sum_of_f32(slice_f32 slice) {
  slice_f64 low = __builtin_convertvector(slice.lo, slice_f64);
  slice_f64 high = __builtin_convertvector(slice.hi, slice_f64);
  return sum_of_f64(low + high);
}

// A sum of so many numbers at a time keeps the digits of float32.
enum { RUN = 8 * LANES };

#define DEFINE_SOFT(SUFFIX, NUMBER, SMALLEST, LARGEST)                                             \
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
  KERNEL(void, CKernels_soft_weights_##SUFFIX, (NUMBER * e, size_t n, double s), (e, n, s)) {      \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    for (size_t i = 0; i < n; i += step) {                                                         \
      slice_##SUFFIX entry = LOAD(slice_##SUFFIX, e + i);                                          \
      Shares_##SUFFIX shares = shares_##SUFFIX(entry, s);                                          \
      STORE(e + i, SLICE_BITS_##SUFFIX(entry) < 0 ? shares.own : shares.other);                    \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_soft_slopes_##SUFFIX, (NUMBER * e, size_t n, double s), (e, n, s)) {       \
    const size_t step = sizeof(slice_##SUFFIX) / sizeof(NUMBER);                                   \
    for (size_t i = 0; i < n; i += step) {                                                         \
      Shares_##SUFFIX shares = shares_##SUFFIX(LOAD(slice_##SUFFIX, e + i), s);                    \
      STORE(e + i, shares.other * shares.own);                                                     \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_soft_steepest_##SUFFIX, (const NUMBER *w, size_t n), (w, n)) {           \
    line_##SUFFIX best = 0;                                                                        \
    size_t i = 0;                                                                                  \
    for (; i + LANES <= n; i += LANES) {                                                           \
      line_##SUFFIX line = LOAD(line_##SUFFIX, w + i);                                             \
      best = line > best ? line : best;                                                            \
    }                                                                                              \
    NUMBER most = 0;                                                                               \
    for (size_t l = 0; l < LANES; ++l) most = best[l] > most ? best[l] : most;                     \
    for (; i < n; ++i) most = w[i] > most ? w[i] : most;                                           \
    for (i = 0; i + LANES <= n; i += LANES) {                                                      \
      if (MASK_BITS(LOAD(line_##SUFFIX, w + i) == most) != 0) break;                               \
    }                                                                                              \
    while (i + 1 < n && w[i] != most) ++i;                                                         \
    return i;                                                                                      \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftMean, CKernels_soft_mean_##SUFFIX,                                           \
         (const NUMBER *w, const NUMBER *c, size_t n, double scale, double origin),                \
         (w, c, n, scale, origin)) {                                                               \
    line_f64 totals = 0, moments = 0, largest = 0;                                                 \
    size_t i = 0;                                                                                  \
    for (; i + LANES <= n; i += LANES) {                                                           \
      line_f64 weight = __builtin_convertvector(LOAD(line_##SUFFIX, w + i), line_f64);             \
      line_f64 line = __builtin_convertvector(LOAD(line_##SUFFIX, c + i), line_f64) * scale;       \
      totals += weight;                                                                            \
      moments += weight * (line - origin);                                                         \
      line_f64 size = __builtin_elementwise_abs(line);                                             \
      largest = size > largest ? size : largest;                                                   \
    }                                                                                              \
    CKernels_SoftMean mean = {sum_of(totals), sum_of(moments), 0};                                 \
    for (size_t l = 0; l < LANES; ++l) {                                                           \
      mean.largest = largest[l] > mean.largest ? largest[l] : mean.largest;                        \
    }                                                                                              \
    for (; i < n; ++i) {                                                                           \
      const double value = (double)c[i] * scale;                                                   \
      mean.total += (double)w[i];                                                                  \
      mean.moment += (double)w[i] * (value - origin);                                              \
      mean.largest = fabs(value) > mean.largest ? fabs(value) : mean.largest;                      \
    }                                                                                              \
    return mean;                                                                                   \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_soft_product_##SUFFIX,                                                     \
         (const NUMBER *w, const NUMBER *c, size_t n, double scale, double mean, double inverse,   \
          NUMBER *out),                                                                            \
         (w, c, n, scale, mean, inverse, out)) {                                                   \
    const double unscale = 1 / scale;                                                              \
    for (size_t i = 0; i < n; ++i) {                                                               \
      double product = (double)w[i] * ((double)c[i] * scale - mean) * inverse * unscale;           \
      product = product < LARGEST ? product : LARGEST;                                             \
      out[i] = (NUMBER)(product > -LARGEST ? product : -LARGEST);                                  \
    }                                                                                              \
  }

DEFINE_SOFT(f32, float, 0x1p-120, (double)FLT_MAX)
DEFINE_SOFT(f64, double, 0x1p-1015, DBL_MAX)
