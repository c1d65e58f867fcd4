// SOFT top-k, the first pass over a row: each entry as E = exp((x - c) / tau), where c is a centre
// near the threshold, and what a threshold near c is made of. Then s = exp((t - c) / tau) moves the
// threshold with a division, y = E / (E + s), instead of another exponential; 1 - y = s / (E + s)
// keeps its digits, too.
//
// Few entries are near c or above it; those are copied. A share of the others is a power series in
// r = E / s, of which two terms are kept: what these add up to is summed here.
//
// float32 rows are computed in float32 but for sums: some units in the last place instead of half
// a unit, and fused (fused.h), which takes half of the time.
#include "fused.h"

typedef int32_t bits_f32 __attribute__((ext_vector_type(EIGHT)));
typedef int64_t bits_f64 __attribute__((ext_vector_type(EIGHT)));

// What x is measured from, in float32. With delta = tau ln 2 and x = j delta + r, E is 2^(j - j_0)
// times 2^(r / delta): r has no rounding (Cody and Waite), for delta's first part has 15 bits, and
// j has nine.
typedef struct Origin_f32 {
  // E = 2^((x - centre) / delta)
  double centre;
  // Plain: x as it is. Otherwise d = (x before - centre_before) after^2 - rest, whose difference
  // has no rounding: x and a centre other than 0 are within a factor of two, or E is 0 or huge.
  bool is_plain;
  float before, after, centre_before, rest;
  // Of d: delta in two parts, its inverse, where E is 2^-126, 2^125 and 2^-16, and what rounds to
  // integers, with j - j_0 in the lowest bits.
  float first, second, inverse, low, high, near, magic;
  // 2^(r / delta) by powers of r.
  float powers[7];
} Origin_f32;

typedef struct Origin_f64 {
  double centre;
  bool is_plain;
  double inverse, scale;
} Origin_f64;

// A power of two; |exponent| < 1000.
INLINE double two_to(int exponent) {
  int64_t bits = (int64_t)(1023 + exponent) << 52;
  return LOAD(double, &bits);
}

INLINE CKernels_SoftScale scale_of(double tau) {
  // Less than this, and no two floats are next to each other.
  const double delta = fmax(tau * 0x1.62e42fefa39efp-1, 0x1p-250);
  const int exponent = ilogb(delta);
  CKernels_SoftScale scale = {.tau = tau, .delta = delta};
  scale.is_scaled = exponent < -16 || exponent > 16;
  // Huge numbers are scaled before their difference is taken, tiny ones after it.
  const int after = scale.is_scaled && exponent < 0 ? (1 - exponent) / 2 : 0;
  const int before = scale.is_scaled && exponent > 0 ? exponent < 126 ? exponent : 126 : 0;
  scale.before = two_to(-before);
  scale.after = two_to(after);
  scale.unit = delta * scale.before * two_to(2 * after);
  const int64_t first_15_bits = -((int64_t)1 << 38);
  const double used = fmin(scale.unit, 0x1p124);  // j is 0 beside more.
  int64_t bits = LOAD(int64_t, &used) & first_15_bits;
  scale.first = (float)LOAD(double, &bits);
  scale.second = (float)(used - LOAD(double, &bits));
  // The Chebyshev interpolant of 2^f of degree 6 on |f| <= 1/2: off by less than 2^-27.
  const double of_two[7] = {1,          0x1.62e43p-1,  0x1.ebfbep-3, 0x1.c6aeccp-5,
                            0x1.3b2a1cp-7, 0x1.5f48cp-10, 0x1.444p-13};
  const double inverse = 1 / scale.unit;
  scale.inverse = (float)inverse;
  double power = 1;
  for (int i = 0; i < 7; ++i, power *= inverse) scale.powers[i] = (float)(of_two[i] * power);
  return scale;
}

INLINE Origin_f32 origin_f32(CKernels_Softness at, CKernels_SoftScale *scale) {
  if (scale->tau != at.tau) *scale = scale_of(at.tau);
  const double unit = scale->unit;
  Origin_f32 from = {.before = (float)scale->before, .after = (float)scale->after};
  double offset = 0;
  if (fabs(at.centre) <= 256 * scale->delta) {
    // A multiple of delta next to it, on the side where those at the centre count as they should.
    const double multiple = at.centre / scale->delta;
    offset = at.side > 0 ? floor(multiple) : at.side < 0 ? ceil(multiple) : rint(multiple);
    from.centre = offset * scale->delta;
    from.is_plain = !scale->is_scaled;
  } else {
    // Between two floats next to each other there may be many of delta.
    const double centre = at.centre * scale->before;
    from.centre_before = (float)centre;
    from.rest = (float)((centre - (double)from.centre_before) * scale->after * scale->after);
    from.centre = at.centre;
  }
  from.first = scale->first;
  from.second = scale->second;
  from.low = (float)fmax((offset - 126) * unit, -FLT_MAX);
  from.high = (float)((offset + 125) * unit);
  from.near = (float)fmax((offset - 16) * unit, -FLT_MAX);
  from.magic = (float)(0x1.8p23 - offset);
  from.inverse = scale->inverse;
  memcpy(from.powers, scale->powers, sizeof from.powers);
  return from;
}

// E of eight entries, within two units in the last place: 0 below 2^-126, 2^125 where it is more.
INLINE eight_f32 measured_f32(bool is_fast, eight_f32 x, Origin_f32 from, bool is_plain,
                              bits_f32 *is_near) {
  eight_f32 d = x;
  if (!is_plain) d = (x * from.before - from.centre_before) * from.after * from.after - from.rest;
  eight_f32 bounded = d < from.high ? d : from.high;
  eight_f32 shifted = fused(is_fast, bounded, from.inverse, from.magic);
  eight_f32 j = shifted - from.magic;
  eight_f32 r = fused(is_fast, -j, from.first, bounded);
  r = fused(is_fast, -j, from.second, r);
  eight_f32 sum = from.powers[6];
  for (int i = 5; i >= 0; --i) sum = fused(is_fast, sum, r, from.powers[i]);
  // j - j_0 added to the exponent. -inf has come to anything, and is 0 now.
  bits_f32 bits = LOAD(bits_f32, &sum) + (LOAD(bits_f32, &shifted) << 23);
  bits &= d >= from.low;
  *is_near = d > from.near;
  return LOAD(eight_f32, &bits);
}

INLINE eight_f32 plus_square_f32(bool is_fast, eight_f32 sum, eight_f32 number) {
  return fused(is_fast, number, number, sum);
}

INLINE Origin_f64 origin_f64(CKernels_Softness at, CKernels_SoftScale *unused) {
  (void)unused;
  // Differences of huge numbers stay finite; tiny ones are no matter beside such a tau.
  const double scale = at.tau > 1 ? 0x1p-2 : 1;
  return (Origin_f64){at.centre, true, fmin(1 / (at.tau * scale), 0x1p1000), scale};
}

// E of eight entries, within two units in the last place; 0 below e^-708, e^708 where it is more.
INLINE eight_f64 measured_f64(bool is_fast, eight_f64 x, Origin_f64 from, bool is_plain,
                              bits_f64 *is_near) {
  (void)is_fast, (void)is_plain;
  eight_f64 a = (x * from.scale - from.centre * from.scale) * from.inverse;
  const double magic = 0x1.8p52;  // n + magic has round(n) in its lowest bits.
  eight_f64 bounded = a > -708 ? a : -708;
  bounded = bounded < 708 ? bounded : 708;
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
  eight_f64 entries = a > -708 ? sum * LOAD(eight_f64, &power) : 0;
  *is_near = entries > 0x1p-30;
  return entries;
}

INLINE eight_f64 plus_square_f64(bool is_fast, eight_f64 sum, eight_f64 number) {
  (void)is_fast;
  return sum + number * number;
}

// A sum of so many numbers at a time keeps the digits of float32.
enum { RUN = 8 * LANES };
// So many are searched for near ones at a time: while they are in the cache.
enum { SEARCH = 8 * RUN };

// LEAST: no squares of less, which would be denormal: those are slow.
#define DEFINE_MEASURE(SUFFIX, NUMBER, LEAST)                                                      \
  /* What is summed of entries that are not near. */                                               \
  typedef struct Run_##SUFFIX {                                                                    \
    eight_##SUFFIX sums, squares;                                                                  \
  } Run_##SUFFIX;                                                                                  \
                                                                                                   \
  INLINE eight_##SUFFIX eight_at_##SUFFIX(const NUMBER *x, size_t count) {                         \
    if (count >= EIGHT) return LOAD(eight_##SUFFIX, x);                                            \
    NUMBER lanes[EIGHT];                                                                           \
    for (size_t l = 0; l < EIGHT; ++l) lanes[l] = l < count ? x[l] : -(NUMBER)INFINITY;            \
    return LOAD(eight_##SUFFIX, lanes);                                                            \
  }                                                                                                \
                                                                                                   \
  /* Eight of x at a time, a byte of bits each. */                                                 \
  INLINE Run_##SUFFIX run_##SUFFIX(bool is_fast, const NUMBER *x, size_t n, Origin_##SUFFIX from,  \
                                   bool is_plain, NUMBER *e, uint8_t *near_bits) {                 \
    Run_##SUFFIX run = {0};                                                                        \
    for (size_t i = 0; i < n; i += EIGHT) {                                                        \
      bits_##SUFFIX is_near;                                                                       \
      eight_##SUFFIX numbers = eight_at_##SUFFIX(x + i, n - i);                                    \
      eight_##SUFFIX entries = measured_##SUFFIX(is_fast, numbers, from, is_plain, &is_near);      \
      STORE(e + i, entries);                                                                       \
      eight_##SUFFIX far = is_near ? 0 : entries;                                                  \
      run.sums += far;                                                                             \
      eight_##SUFFIX large = far > (NUMBER)LEAST ? far : (NUMBER)LEAST;                            \
      run.squares = plus_square_##SUFFIX(is_fast, run.squares, large);                             \
      near_bits[i / EIGHT] = EIGHT_BITS(is_near);                                                  \
    }                                                                                              \
    return run;                                                                                    \
  }                                                                                                \
                                                                                                   \
  /* Copies the near ones of a search, by fours, whether there are so many or not: a branch for    \
  each was mispredicted too often. */                                                              \
  INLINE size_t keep_near_##SUFFIX(const NUMBER *e, size_t start, size_t n, const uint8_t *bytes,  \
                                   size_t count, size_t near_max, NUMBER *near,                    \
                                   int32_t *columns) {                                             \
    for (size_t from = 0; from < n && count <= near_max; from += 64) {                             \
      uint64_t bits = LOAD(uint64_t, bytes + from / EIGHT);                                        \
      const uint64_t last = (uint64_t)1 << (n - from < 64 ? n - from - 1 : 63);                    \
      const size_t next = count + (size_t)__builtin_popcountll(bits);                              \
      do {                                                                                         \
        for (size_t l = 0; l < QUAD; ++l, bits &= bits - 1) {                                      \
          const size_t i = from + (size_t)__builtin_ctzll(bits | last);                            \
          near[count + l] = e[i];                                                                  \
          columns[count + l] = (int32_t)(start + i);                                               \
        }                                                                                          \
        count += QUAD;                                                                             \
      } while (count < next);                                                                      \
      count = next;                                                                                \
    }                                                                                              \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  INLINE CKernels_SoftSplit measure_##SUFFIX(bool is_fast, const NUMBER *x, size_t n,              \
                                             Origin_##SUFFIX from, bool is_plain, NUMBER *e,       \
                                             size_t near_max, NUMBER *near, int32_t *columns) {    \
    CKernels_SoftSplit split = {.centre = from.centre};                                            \
    eight_f64 sums = 0, squares = 0;                                                               \
    for (size_t start = 0; start < n; start += SEARCH) {                                           \
      const size_t count = n - start < SEARCH ? n - start : SEARCH;                                \
      uint8_t bytes[SEARCH / EIGHT] = {0};                                                         \
      for (size_t i = start; i < start + count; i += RUN) {                                        \
        uint8_t *here = bytes + (i - start) / EIGHT;                                               \
        Run_##SUFFIX run =                                                                         \
            n - i < RUN ? run_##SUFFIX(is_fast, x + i, n - i, from, is_plain, e + i, here)         \
                        : run_##SUFFIX(is_fast, x + i, RUN, from, is_plain, e + i, here);          \
        sums += __builtin_convertvector(run.sums, eight_f64);                                      \
        squares += __builtin_convertvector(run.squares, eight_f64);                                \
      }                                                                                            \
      /* Later than written: a word of bytes that are still on their way waits for them. */        \
      split.near = keep_near_##SUFFIX(e + start, start, count, bytes, split.near, near_max, near,  \
                                      columns);                                                    \
    }                                                                                              \
    split.sum = sum_of_eight(sums);                                                                \
    split.squares = sum_of_eight(squares);                                                         \
    /* What all lanes had at least; without it, nothing is left of rows that have no more. */      \
    split.squares -= (double)((n + EIGHT - 1) / EIGHT * EIGHT) * LEAST * LEAST;                    \
    /* Whole lines: 0 is an entry that adds nothing. */                                            \
    const line_##SUFFIX none = 0;                                                                  \
    if ((n + EIGHT - 1) / EIGHT % 2 != 0) STORE(e + (n + EIGHT - 1) / EIGHT * EIGHT, none.lo);     \
    if (split.near > near_max) {                                                                   \
      split.near = SIZE_MAX;                                                                       \
    } else {                                                                                       \
      STORE(near + split.near, none);                                                              \
    }                                                                                              \
    return split;                                                                                  \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftSplit, CKernels_soft_measure_##SUFFIX,                                       \
         (const NUMBER *x, size_t n, CKernels_Softness at, CKernels_SoftScale *scale, NUMBER *e,   \
          size_t near_max, NUMBER *near, int32_t *columns),                                        \
         (x, n, at, scale, e, near_max, near, columns)) {                                          \
    const Origin_##SUFFIX from = origin_##SUFFIX(at, scale);                                       \
    if (from.is_plain) {                                                                           \
      return measure_##SUFFIX(is_fast, x, n, from, true, e, near_max, near, columns);              \
    }                                                                                              \
    return measure_##SUFFIX(is_fast, x, n, from, false, e, near_max, near, columns);               \
  }

DEFINE_MEASURE(f32, float, 0x1p-62)
DEFINE_MEASURE(f64, double, 0x1p-510)
