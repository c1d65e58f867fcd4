// SOFT top-k: y_i = sigma((x_i - t) / tau), whose sum over a row is k (SoftThreshold.swift).
//
// An entry is kept as the distance from a centre c: exp(-|x - c| / tau), negative where x > c. Then
// s = exp((t - c) / tau) moves the threshold with a division instead of another exponential, and
// both sides keep their small numbers: what an entry below lacks of 0, and one above of 1.
#include "power.h"

// Eight lanes: twice as many sums as registers would be stored and loaded at each step.
enum { HALF = LANES / 2 };
typedef double half_f64 __attribute__((ext_vector_type(HALF)));
typedef float half_f32 __attribute__((ext_vector_type(HALF)));
typedef int64_t half_i64 __attribute__((ext_vector_type(HALF)));

INLINE half_i64 half_bits(half_f64 number) { return LOAD(half_i64, &number); }
INLINE half_f64 half_number(half_i64 bits) { return LOAD(half_f64, &bits); }

INLINE double sum_of_half(half_f64 half) {
  double lanes[HALF];
  STORE(lanes, half);
  for (int part = HALF / 2; part > 0; part /= 2) {
    for (int l = 0; l < part; ++l) lanes[l] += lanes[l + part];
  }
  return lanes[0];
}

// e^a for a <= 0, within two units in the last place; 0 below -708.
INLINE half_f64 exp_of_negative(half_f64 a) {
  const double magic = 0x1.8p52;  // n + magic has round(n) in its lowest bits.
  half_f64 bounded = a > -708 ? a : -708;
  half_f64 n = (bounded * 0x1.71547652b82fep0 + magic) - magic;
  // ln 2 in two parts; the first has 32 bits, so that n times it is exact.
  half_f64 r = (bounded - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  // The Chebyshev interpolant of degree 11 on |r| <= ln(2) / 2: off by less than 2^-55. By pairs
  // and their squares (Estrin): one term after the other would wait for each of them.
  half_f64 r2 = r * r, r4 = r2 * r2;
  half_f64 a2 = 0x1.0000000000011p-1 + r * 0x1.555555555555ap-3;
  half_f64 a4 = 0x1.555555554f0cep-5 + r * 0x1.111111110f225p-7;
  half_f64 a6 = 0x1.6c16c187fbe13p-10 + r * 0x1.a01a01b14379ap-13;
  half_f64 a8 = 0x1.a01991ac8440bp-16 + r * 0x1.71ddf5749b43dp-19;
  half_f64 a10 = 0x1.28b40581fba5cp-22 + r * 0x1.af631d03b18bfp-26;
  half_f64 sum = 1 + (r + r2 * ((a2 + r2 * a4) + r4 * ((a6 + r2 * a8) + r4 * a10)));
  half_f64 power = half_number((half_bits(n + magic) << 52) + 0x3ff0000000000000);
  return a > -708 ? sum * power : 0;
}

#define DEFINE_SOFT(SUFFIX, NUMBER)                                                                \
  KERNEL(size_t, CKernels_soft_distances_##SUFFIX,                                                 \
         (const NUMBER *x, size_t n, CKernels_Softness at, double *e), (x, n, at, e)) {            \
    const double centre = at.centre * at.scale;                                                    \
    half_i64 counts = 0;                                                                           \
    for (size_t i = 0; i < n; i += HALF) {                                                         \
      half_##SUFFIX line = (NUMBER)-INFINITY;                                                      \
      if (i + HALF <= n) {                                                                         \
        line = LOAD(half_##SUFFIX, x + i);                                                         \
      } else {                                                                                     \
        for (size_t l = 0; l < n - i; ++l) line[l] = x[i + l];                                     \
      }                                                                                            \
      half_f64 distance = __builtin_convertvector(line, half_f64) * at.scale - centre;             \
      half_i64 is_above = distance > 0;                                                            \
      counts -= is_above;                                                                          \
      half_f64 power = exp_of_negative(-__builtin_elementwise_abs(distance) * at.inverse);         \
      STORE(e + i, is_above ? -power : power);                                                     \
    }                                                                                              \
    size_t above = 0;                                                                              \
    for (int l = 0; l < HALF; ++l) above += (size_t)counts[l];                                     \
    return above;                                                                                  \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftMean, CKernels_soft_mean_##SUFFIX,                                           \
         (const double *w, const NUMBER *c, size_t n, double scale, double origin),                \
         (w, c, n, scale, origin)) {                                                               \
    line_f64 totals = 0, moments = 0, largest = 0;                                                 \
    size_t i = 0;                                                                                  \
    for (; i + LANES <= n; i += LANES) {                                                           \
      line_f64 weight = LOAD(line_f64, w + i);                                                     \
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
      mean.total += w[i];                                                                          \
      mean.moment += w[i] * (value - origin);                                                      \
      mean.largest = fabs(value) > mean.largest ? fabs(value) : mean.largest;                      \
    }                                                                                              \
    return mean;                                                                                   \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_soft_product_##SUFFIX,                                                     \
         (const double *w, const NUMBER *c, size_t n, double scale, double mean, double inverse,   \
          double *out),                                                                            \
         (w, c, n, scale, mean, inverse, out)) {                                                   \
    for (size_t i = 0; i < n; ++i) {                                                               \
      double product = w[i] * ((double)c[i] * scale - mean) * inverse / scale;                     \
      product = product < DBL_MAX ? product : DBL_MAX;                                             \
      out[i] = product > -DBL_MAX ? product : -DBL_MAX;                                            \
    }                                                                                              \
  }

DEFINE_SOFT(f32, float)
DEFINE_SOFT(f64, double)

// Distances in, share of the other side out: y of an entry below, 1 - y of one above.
#define SHARE(TYPE, ENTRY, S, INVERSE)                                                             \
  ({                                                                                               \
    TYPE size = __builtin_elementwise_abs(ENTRY);                                                  \
    TYPE other = IS_ABOVE(ENTRY) ? (TYPE)(INVERSE) : (TYPE)(S);                                    \
    size / (size + other);                                                                         \
  })
#define IS_ABOVE(ENTRY) (half_bits(ENTRY) < 0)

KERNEL(CKernels_SoftSums, CKernels_soft_sums, (const double *e, size_t n, double s), (e, n, s)) {
  half_f64 below = 0, above = 0, slope_below = 0, slope_above = 0, bend = 0, squares = 0;
  const double inverse = 1 / s;
  for (size_t i = 0; i < n; i += HALF) {
    half_f64 entry = LOAD(half_f64, e + i);
    half_f64 share = SHARE(half_f64, entry, s, inverse);
    half_i64 is_above = IS_ABOVE(entry);
    half_f64 slope = share * (1 - share);
    half_f64 curve = slope * (1 - 2 * share);
    below += is_above ? 0 : share;
    above += is_above ? share : 0;
    slope_below += is_above ? 0 : slope;
    slope_above += is_above ? slope : 0;
    bend += is_above ? -curve : curve;
    squares += slope * slope;
  }
  CKernels_SoftSums sums = {sum_of_half(below),       sum_of_half(above),
                            sum_of_half(slope_below), sum_of_half(slope_above),
                            sum_of_half(bend),        sum_of_half(squares)};
  return sums;
}

KERNEL(void, CKernels_soft_weights, (double *e, size_t n, double s), (e, n, s)) {
  const double inverse = 1 / s;
  for (size_t i = 0; i < n; i += HALF) {
    half_f64 entry = LOAD(half_f64, e + i);
    half_f64 share = SHARE(half_f64, entry, s, inverse);
    STORE(e + i, IS_ABOVE(entry) ? 1 - share : share);
  }
}

KERNEL(void, CKernels_soft_slopes, (double *e, size_t n, double s), (e, n, s)) {
  const double inverse = 1 / s;
  for (size_t i = 0; i < n; i += HALF) {
    half_f64 share = SHARE(half_f64, LOAD(half_f64, e + i), s, inverse);
    STORE(e + i, share * (1 - share));
  }
}
