// Rows of 16-bit floats.
#include "isa.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

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

#define DEFINE_WIDENING(SUFFIX, NAME)                                                              \
  KERNEL(void, NAME,                                                                               \
         (const uint16_t *x, size_t n, bool negated, float *out), (x, n, negated, out)) {          \
    if (!negated) {                                                                                \
      for (size_t i = 0; i < n; ++i) out[i] = widened_##SUFFIX(x[i]);                              \
      return;                                                                                      \
    }                                                                                              \
    for (size_t i = 0; i < n; ++i) {                                                               \
      float number = widened_##SUFFIX(x[i]);                                                       \
      out[i] = number != -INFINITY ? -number : number;                                             \
    }                                                                                              \
  }

DEFINE_WIDENING(f16, CKernels_load_f16_portably)
DEFINE_WIDENING(bf16, CKernels_load_bf16)

#ifdef __x86_64__
// The processor's own instruction, where every processor of the set has it.
__attribute__((target("arch=x86-64-v3"))) static void load_f16_natively(const uint16_t *x, size_t n,
                                                                        float *out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m128i halves = _mm_loadu_si128((const __m128i *)(x + i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(halves));
  }
  for (; i < n; ++i) out[i] = widened_f16(x[i]);
}
#endif

void CKernels_load_f16(const uint16_t *x, size_t n, bool negated, float *out) {
#ifdef __x86_64__
  if (CKernels_isa != CKernels_isa_baseline && !negated) {
    load_f16_natively(x, n, out);
    return;
  }
#endif
  CKernels_load_f16_portably(x, n, negated, out);
}
