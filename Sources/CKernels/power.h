// u -> u^e and its derivative e u^(e-1) on lines of u >= 0: what tells one p from another.
#ifndef CKERNELS_POWER_H
#define CKERNELS_POWER_H

#include "isa.h"

typedef struct Powers {
  line_f64 power;
  line_f64 slope;
} Powers;

// p = 2.
INLINE Powers powers_linear(line_f64 u, double e) { return (Powers){u, (line_f64)e}; }

// p = 4/3.
INLINE Powers powers_cubic(line_f64 u, double e) { return (Powers){u * u * u, e * u * u}; }

// p = 3.
INLINE Powers powers_root(line_f64 u, double e) {
  line_f64 power = __builtin_elementwise_sqrt(u);
  line_f64 slope = e / power;
  return (Powers){power, slope < DBL_MAX ? slope : DBL_MAX};
}

INLINE line_f64 as_f64(line_u64 bits) { return LOAD(line_f64, &bits); }
INLINE line_u64 as_u64(line_f64 number) { return LOAD(line_u64, &number); }

// log2 of the significand: |l| <= 1/2, m = (1 + s) / (1 - s), log2(m) = (2 / ln 2) atanh(s), whose
// series ends below 2^-58 for |s| <= 0.172.
INLINE line_f64 log2_of_significand(line_f64 m) {
  line_f64 s = (m - 1) / (m + 1);
  line_f64 z = s * s;
  line_f64 sum = 1.0 / 21;
  for (int odd = 19; odd > 0; odd -= 2) sum = sum * z + 1.0 / odd;
  return s * sum * 0x1.71547652b82fep+1;
}

// 2^f for |f| <= 1/2: the exponential series ends below 2^-57.
INLINE line_f64 exp2_of_fraction(line_f64 f) {
  line_f64 x = f * 0x1.62e42fefa39efp-1;
  line_f64 sum = 1;
  for (int i = 13; i > 0; --i) sum = 1 + sum * x * (1.0 / i);
  return sum;
}

// Any p: 2^(e log2 u), within some units in the last place. libm's pow takes one number at a time,
// and its last digits differ between machines; these are the same everywhere.
INLINE Powers powers_general(line_f64 u, double e) {
  const double magic = 0x1.8p52;  // m + magic has round(m) in its lowest bits.
  // u = 2^exponent m with m in [sqrt(1/2), sqrt(2)).
  line_f64 normal = u < DBL_MIN ? u * 0x1p54 : u;
  line_u64 bits = as_u64(normal);
  line_u64 biased = (bits + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd)) >> 52;
  line_f64 exponent = as_f64(biased | 0x4330000000000000) - (0x1p52 + 1023);
  line_f64 l = log2_of_significand(as_f64(bits - (biased << 52) + 0x3ff0000000000000));
  exponent = u < DBL_MIN ? exponent - 54 : exponent;
  // The upper 42 bits of e times an exponent of 11 are exact: only the fraction is rounded.
  uint64_t e_bits;
  memcpy(&e_bits, &e, sizeof e_bits);
  e_bits &= ~UINT64_C(0x7ff);
  double e_high;
  memcpy(&e_high, &e_bits, sizeof e_high);
  line_f64 whole = e_high * exponent;
  line_f64 rest = (e - e_high) * exponent + e * l;
  line_f64 n = (whole + rest + magic) - magic;
  line_f64 power = exp2_of_fraction((whole - n) + rest);
  // By two factors: subnormal and huge powers have an exponent that one cannot hold.
  n = n > 2000 ? 2000 : n < -2000 ? -2000 : n;
  line_f64 half = (n * 0.5 + magic) - magic;
  power *= as_f64((as_u64(half + magic) << 52) + 0x3ff0000000000000);
  power *= as_f64((as_u64(n - half + magic) << 52) + 0x3ff0000000000000);
  power = u > 0 ? u < INFINITY ? power : u : 0;
  // u^e may underflow where e u^(e-1) does not, and the reverse may overflow for e < 1.
  line_f64 slope = e * power / u;
  return (Powers){power, slope < DBL_MAX ? slope : DBL_MAX};
}

#endif
