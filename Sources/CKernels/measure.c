// SOFT top-k, the first pass over a row: each entry as its distance from a centre c,
// exp(-|x - c| / tau), negative where it is above c, and what a threshold near c is made of. Then
// s = exp((t - c) / tau) moves the threshold with a division instead of another exponential, and
// both sides keep their small numbers: what an entry below lacks of 0, and one above of 1.
//
// Few entries are near c or above it; those are copied. A share of the others is a power series in
// r = e / s, of which two terms are kept: what these add up to is summed here.
//
// float32 rows are computed in float32, but for differences and sums: twice as many lanes, and
// some units in the last place instead of half a unit.
#include "power.h"

typedef uint32_t eight_u32 __attribute__((ext_vector_type(EIGHT)));
typedef uint32_t line_u32 __attribute__((ext_vector_type(LANES)));
typedef uint64_t eight_u64 __attribute__((ext_vector_type(EIGHT)));

// e^a for a <= 0, within two units in the last place; 0 below -708.
INLINE eight_f64 exp_of_negative(eight_f64 a) {
  const double magic = 0x1.8p52;  // n + magic has round(n) in its lowest bits.
  eight_f64 bounded = a > -708 ? a : -708;
  eight_f64 shifted = bounded * 0x1.71547652b82fep0 + magic;
  eight_f64 n = shifted - magic;
  // ln 2 in two parts; the first has 32 bits, so that n times it is exact.
  eight_f64 r = (bounded - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  // The Chebyshev interpolant of degree 11 on |r| <= ln(2) / 2: off by less than 2^-55. By pairs
  // and their squares (Estrin): one term after the other would wait for each of them.
  eight_f64 r2 = r * r, r4 = r2 * r2;
  eight_f64 a2 = 0x1.0000000000011p-1 + r * 0x1.555555555555ap-3;
  eight_f64 a4 = 0x1.555555554f0cep-5 + r * 0x1.111111110f225p-7;
  eight_f64 a6 = 0x1.6c16c187fbe13p-10 + r * 0x1.a01a01b14379ap-13;
  eight_f64 a8 = 0x1.a01991ac8440bp-16 + r * 0x1.71ddf5749b43dp-19;
  eight_f64 a10 = 0x1.28b40581fba5cp-22 + r * 0x1.af631d03b18bfp-26;
  eight_f64 sum = 1 + (r + r2 * ((a2 + r2 * a4) + r4 * ((a6 + r2 * a8) + r4 * a10)));
  eight_i64 power = (LOAD(eight_i64, &shifted) << 52) + 0x3ff0000000000000;
  return a > -708 ? sum * LOAD(eight_f64, &power) : 0;
}

// Whole units of 2^-24 of four numbers 0 <= a, 127 of anything above; in each double's low half.
INLINE quad_f64 units_of(quad_f64 a) {
  const double magic = 0x1.8p28;  // Its last bit is such a unit.
  return (a < 127 ? a : 127) + magic;
}

// 2^-a in float32 for 8 numbers a >= 0, within two units in the last place; 0 beyond 126.
INLINE eight_f32 exp2_of_minus(quad_f64 low, quad_f64 high) {
  quad_f64 halves[2] = {units_of(low), units_of(high)};
  line_u32 words = LOAD(line_u32, halves);
  eight_u32 a = __builtin_shufflevector(words, words, 0, 2, 4, 6, 8, 10, 12, 14);
  // a = n - f, -1/2 <= f < 1/2: f is what the 24 low bits of -a say.
  eight_u32 fraction = (0 - a) << 8;
  eight_f32 f = __builtin_convertvector(LOAD(eight_i32, &fraction), eight_f32) * 0x1p-32f;
  eight_u32 power = 0x3f800000 - (((a + 0x7fffff) & 0xff000000) >> 1);
  // The Chebyshev interpolant of degree 6 on |f| <= 1/2: off by less than 2^-27.
  eight_f32 f2 = f * f;
  eight_f32 a0 = 1 + f * 0x1.62e43p-1f;
  eight_f32 a2 = 0x1.ebfbep-3f + f * 0x1.c6aeccp-5f;
  eight_f32 a4 = 0x1.3b2a1cp-7f + f * 0x1.5f48cp-10f;
  eight_f32 sum = a0 + f2 * (a2 + f2 * (a4 + f2 * 0x1.444p-13f));
  // Denormal distances would be slow, and too coarse for a threshold that they make.
  return LOAD(eight_i32, &a) > 126 << 24 ? 0 : sum * LOAD(eight_f32, &power);
}

// The largest float that is no more than c, or less than it.
INLINE float float_below(double c, bool is_strictly) {
  float bound = (float)c;
  return bound > c || (is_strictly && bound == c) ? nextafterf(bound, -INFINITY) : bound;
}

// Where entries are measured from: the centre, what their differences from it are multiplied by,
// and the largest entry that is not above it.
typedef struct Origin_f32 {
  double centre, inverse;
  float bound;
} Origin_f32;

typedef struct Origin_f64 {
  double centre, inverse, scale;
  int64_t flip;
} Origin_f64;

INLINE Origin_f32 origin_f32(CKernels_Softness at) {
  // Nothing is scaled: a double has room for the difference of floats.
  return (Origin_f32){at.centre, at.inverse * 0x1.71547652b82fep0,
                      float_below(at.centre, at.scale < 0)};
}

INLINE Origin_f64 origin_f64(CKernels_Softness at) {
  return (Origin_f64){at.centre * at.scale, at.inverse, at.scale, at.scale < 0 ? INT64_MIN : 0};
}

// The distances of eight entries, and which of them are above.
INLINE eight_f32 distance_f32(eight_f32 x, Origin_f32 from, eight_i32 *is_above) {
  quad_f64 low = from.centre - __builtin_convertvector(x.lo, quad_f64);
  quad_f64 high = from.centre - __builtin_convertvector(x.hi, quad_f64);
  *is_above = x > from.bound;
  return exp2_of_minus(__builtin_elementwise_abs(low) * from.inverse,
                       __builtin_elementwise_abs(high) * from.inverse);
}

INLINE eight_f64 distance_f64(eight_f64 x, Origin_f64 from, eight_i64 *is_above) {
  eight_f64 below = from.centre - x * from.scale;
  *is_above = (LOAD(eight_i64, &below) ^ from.flip) < 0;
  return exp_of_negative(-__builtin_elementwise_abs(below) * from.inverse);
}

// A sum of so many numbers at a time keeps the digits of float32.
enum { RUN = 8 * LANES };

#define DEFINE_MEASURE(SUFFIX, NUMBER, SIGNED, BITS, SIGN, LIMIT, LEAST)                           \
  INLINE eight_##SUFFIX eight_at_##SUFFIX(const NUMBER *x, size_t count) {                         \
    if (count >= EIGHT) return LOAD(eight_##SUFFIX, x);                                            \
    NUMBER lanes[EIGHT];                                                                           \
    for (size_t l = 0; l < EIGHT; ++l) lanes[l] = l < count ? x[l] : -(NUMBER)INFINITY;            \
    return LOAD(eight_##SUFFIX, lanes);                                                            \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftSplit, CKernels_soft_measure_##SUFFIX,                                       \
         (const NUMBER *x, size_t n, CKernels_Softness at, NUMBER *e, size_t near_max,             \
          NUMBER *near),                                                                           \
         (x, n, at, e, near_max, near)) {                                                          \
    CKernels_SoftSplit split = {0};                                                                \
    const Origin_##SUFFIX from = origin_##SUFFIX(at);                                              \
    SIGNED above = 0;                                                                              \
    bool is_few = true;                                                                            \
    for (size_t start = 0; start < n; start += RUN) {                                              \
      const size_t end = start + RUN < n ? start + RUN : n;                                        \
      eight_##SUFFIX sums = 0, squares = 0;                                                        \
      uint8_t near_bits[RUN / EIGHT] = {0};                                                        \
      for (size_t i = start; i < end; i += EIGHT) {                                                \
        SIGNED is_above;                                                                           \
        eight_##SUFFIX size =                                                                      \
            distance_##SUFFIX(eight_at_##SUFFIX(x + i, end - i), from, &is_above);                 \
        BITS entry = LOAD(BITS, &size) | (LOAD(BITS, &is_above) & SIGN);                           \
        STORE(e + i, entry);                                                                       \
        SIGNED is_near = is_above | (size > (NUMBER)LIMIT);                                        \
        eight_##SUFFIX far = is_near ? 0 : size;                                                   \
        sums += far;                                                                               \
        /* No squares of less: they would be denormal, which is slow. */                           \
        eight_##SUFFIX large = far > (NUMBER)LEAST ? far : (NUMBER)LEAST;                          \
        squares += large * large;                                                                  \
        near_bits[(i - start) / EIGHT] = EIGHT_BITS(is_near);                                      \
        above -= is_above;                                                                         \
      }                                                                                            \
      /* Not one by one: a branch for every eight was mispredicted too often. */                   \
      for (size_t word = 0; word < RUN / 64; ++word) {                                             \
        uint64_t bits = LOAD(uint64_t, near_bits + 8 * word);                                      \
        if (!is_few) continue;                                                                     \
        const NUMBER *from_here = e + start + 64 * word;                                           \
        for (; bits != 0; bits &= bits - 1) near[split.near++] = from_here[__builtin_ctzll(bits)]; \
        is_few = split.near <= near_max;                                                           \
      }                                                                                            \
      split.sum += sum_of_eight(__builtin_convertvector(sums, eight_f64));                         \
      split.squares += sum_of_eight(__builtin_convertvector(squares, eight_f64));                  \
    }                                                                                              \
    for (size_t l = 0; l < EIGHT; ++l) split.above += (size_t)above[l];                            \
    /* What all lanes had at least; without it, nothing is left of rows that have no more. */      \
    split.squares -= (double)((n + EIGHT - 1) / EIGHT * EIGHT) * LEAST * LEAST;                    \
    /* Whole lines: 0 is an entry that adds nothing. */                                            \
    const line_##SUFFIX none = 0;                                                                  \
    if ((n + EIGHT - 1) / EIGHT % 2 != 0) STORE(e + (n + EIGHT - 1) / EIGHT * EIGHT, none.lo);     \
    if (is_few) {                                                                                  \
      STORE(near + split.near, none);                                                              \
    } else {                                                                                       \
      split.near = SIZE_MAX;                                                                       \
    }                                                                                              \
    return split;                                                                                  \
  }

DEFINE_MEASURE(f32, float, eight_i32, eight_u32, 0x80000000, 0x1p-14, 0x1p-62)
DEFINE_MEASURE(f64, double, eight_i64, eight_u64, 0x8000000000000000, 0x1p-28, 0x1p-510)
