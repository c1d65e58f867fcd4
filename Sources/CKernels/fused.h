// Fused multiplications of eight floats, the same bits on every processor.
#ifndef CKERNELS_FUSED_H
#define CKERNELS_FUSED_H

#include "isa.h"

// a b + c with one rounding: an instruction, or the same bits from doubles. There the product has
// no rounding, and a sum that is rounded to an odd number leaves the last rounding to the float
// (Boldo and Melquiond 2008).
INLINE eight_f32 fused(bool is_fast, eight_f32 a, eight_f32 b, eight_f32 c) {
  if (is_fast) return __builtin_elementwise_fma(a, b, c);
  eight_f64 addend = __builtin_convertvector(c, eight_f64);
  eight_f64 product = __builtin_convertvector(a, eight_f64) * __builtin_convertvector(b, eight_f64);
  eight_f64 sum = product + addend, part = sum - product;
  eight_f64 error = (product - (sum - part)) + (addend - part);
  eight_i64 bits = LOAD(eight_i64, &sum);
  eight_i64 towards = ((error > 0) ^ (sum > 0)) | 1;
  bits += towards & (error != 0) & ((bits & 1) - 1);
  return __builtin_convertvector(LOAD(eight_f64, &bits), eight_f32);
}

#endif
