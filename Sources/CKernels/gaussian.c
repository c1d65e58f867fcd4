// Sums over whole rows: what a threshold is estimated from.
#include "isa.h"

#define DEFINE_MOMENTS(SUFFIX, NUMBER, ABS)                                                        \
  KERNEL(CKernels_Moments, CKernels_moments_##SUFFIX,                                              \
         (const NUMBER *a, const NUMBER *b, size_t n, double shift, NUMBER *out, size_t height,    \
          NUMBER *maxima), (a, b, n, shift, out, height, maxima)) {                                \
    line_f64 sums = 0, squares = 0;                                                                \
    size_t lines = n / LANES, at = 0;                                                              \
    while (at < lines) {                                                                           \
      size_t end = at + height < lines ? at + height : lines;                                      \
      line_##SUFFIX best = 0;                                                                      \
      for (; at < end; ++at) {                                                                     \
        line_##SUFFIX u = LOAD(line_##SUFFIX, a + at * LANES);                                     \
        if (b != NULL) u += LOAD(line_##SUFFIX, b + at * LANES);                                   \
        STORE(out + at * LANES, u);                                                                \
        line_##SUFFIX size = __builtin_elementwise_abs(u);                                         \
        best = size > best ? size : best;                                                          \
        line_f64 difference = __builtin_convertvector(u, line_f64) - shift;                        \
        sums += difference;                                                                        \
        squares += difference * difference;                                                        \
      }                                                                                            \
      STORE(maxima, best);                                                                         \
      maxima += LANES;                                                                             \
    }                                                                                              \
    CKernels_Moments moments = {sum_of(sums), sum_of(squares)};                                    \
    /* What is left of the last line belongs to the last block, or is a block of its own. */       \
    if (lines % height == 0) {                                                                     \
      STORE(maxima, (line_##SUFFIX)(NUMBER)0);                                                     \
      maxima += LANES;                                                                             \
    }                                                                                              \
    for (size_t i = lines * LANES; i < n; ++i) {                                                   \
      NUMBER u = b != NULL ? a[i] + b[i] : a[i];                                                   \
      out[i] = u;                                                                                  \
      NUMBER *lane = maxima - LANES + i % LANES;                                                   \
      *lane = ABS(u) > *lane ? ABS(u) : *lane;                                                     \
      double difference = (double)u - shift;                                                       \
      moments.sum += difference;                                                                   \
      moments.squares += difference * difference;                                                  \
    }                                                                                              \
    return moments;                                                                                \
  }

DEFINE_MOMENTS(f32, float, fabsf)
DEFINE_MOMENTS(f64, double, fabs)
