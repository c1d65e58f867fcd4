// Rows of 16-bit floats.
#include "isa.h"

KERNEL(bool, CKernels_all_finite_16, (const uint16_t *x, size_t n, uint16_t mask), (x, n, mask)) {
  uint16_t found = 0;
  for (size_t i = 0; i < n; ++i) found |= (x[i] & mask) == mask;
  return found == 0;
}

// Written as integers and one product, so that compilers make vectors of it on every machine.
INLINE float widened_f16(uint16_t half) {
  uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
  float number;
  memcpy(&number, &magnitude, sizeof number);
  // 2^112 moves the exponent's bias from 15 to 127; subnormals are normal then.
  number *= 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &number, sizeof bits);
  bits |= (half & 0x7c00) == 0x7c00 ? 0x7f800000u : 0;
  bits |= (uint32_t)(half & 0x8000) << 16;
  memcpy(&number, &bits, sizeof number);
  return number;
}

INLINE float widened_bf16(uint16_t half) {
  uint32_t bits = (uint32_t)half << 16;
  float number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

#define DEFINE_WIDENING(SUFFIX)                                                                    \
  KERNEL(void, CKernels_load_##SUFFIX,                                                             \
         (const uint16_t *x, size_t n, bool negated, float *out), (x, n, negated, out)) {          \
    for (size_t i = 0; i < n; ++i) {                                                               \
      float number = widened_##SUFFIX(x[i]);                                                       \
      out[i] = negated && number != -INFINITY ? -number : number;                                  \
    }                                                                                              \
  }

DEFINE_WIDENING(f16)
DEFINE_WIDENING(bf16)
