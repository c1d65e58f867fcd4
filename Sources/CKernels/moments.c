// Sums over whole rows: what a threshold is estimated from, and how many numbers exceed it.
#include "isa.h"

#define DEFINE_MOMENTS(SUFFIX, NUMBER)                                                             \
  KERNEL(CKernels_Moments, CKernels_moments_##SUFFIX,                                              \
         (const NUMBER *a, const NUMBER *b, size_t n, double shift, NUMBER *out),                  \
         (a, b, n, shift, out)) {                                                                  \
    line_f64 sums = 0, squares = 0;                                                                \
    size_t i = 0;                                                                                  \
    for (; i + LANES <= n; i += LANES) {                                                           \
      line_##SUFFIX u = LOAD(line_##SUFFIX, a + i);                                                \
      if (b != NULL) u += LOAD(line_##SUFFIX, b + i);                                              \
      STORE(out + i, u);                                                                           \
      line_f64 difference = __builtin_convertvector(u, line_f64) - shift;                          \
      sums += difference;                                                                          \
      squares += difference * difference;                                                          \
    }                                                                                              \
    CKernels_Moments moments = {sum_of(sums), sum_of(squares)};                                    \
    for (; i < n; ++i) {                                                                           \
      NUMBER u = b != NULL ? a[i] + b[i] : a[i];                                                   \
      out[i] = u;                                                                                  \
      double difference = (double)u - shift;                                                       \
      moments.sum += difference;                                                                   \
      moments.squares += difference * difference;                                                  \
    }                                                                                              \
    return moments;                                                                                \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_exceeding_##SUFFIX, (const NUMBER *x, size_t n, NUMBER bound),           \
         (x, n, bound)) {                                                                          \
    size_t count = 0, i = 0;                                                                       \
    for (; i + LANES <= n; i += LANES) {                                                           \
      line_##SUFFIX size = __builtin_elementwise_abs(LOAD(line_##SUFFIX, x + i));                  \
      count += (size_t)__builtin_popcount(MASK_BITS(size >= bound));                               \
    }                                                                                              \
    for (; i < n; ++i) count += (x[i] < 0 ? -x[i] : x[i]) >= bound;                                \
    return count;                                                                                  \
  }

DEFINE_MOMENTS(f32, float)
DEFINE_MOMENTS(f64, double)
