#include "CKernels.h"

#include <math.h>
#include <string.h>

// One body for each instruction set; the loader picks the best that the processor has. Not under
// ThreadSanitizer: it is not ready when the loader asks.
#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define FOR_EVERY_ISA __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EVERY_ISA
#endif

#define LANES CKernels_lanes

typedef float line_f32 __attribute__((ext_vector_type(LANES)));
typedef double line_f64 __attribute__((ext_vector_type(LANES)));
typedef bool lane_mask __attribute__((ext_vector_type(LANES)));

// Loops over LANES have a constant count, so that compilers turn each into a few vector
// instructions.
#define DEFINE_KERNELS(SUFFIX, NUMBER, ABS)                                                        \
  FOR_EVERY_ISA                                                                                    \
  void CKernels_group_maxima_##SUFFIX(const NUMBER *x, size_t blocks, size_t height,               \
                                      bool absolute, double *maxima) {                             \
    for (size_t block = 0; block < blocks; ++block) {                                              \
      NUMBER best[LANES];                                                                          \
      for (int l = 0; l < LANES; ++l) best[l] = absolute ? ABS(x[l]) : x[l];                       \
      x += LANES;                                                                                  \
      for (size_t line = 1; line < height; ++line, x += LANES) {                                   \
        for (int l = 0; l < LANES; ++l) {                                                          \
          NUMBER score = absolute ? ABS(x[l]) : x[l];                                              \
          best[l] = score > best[l] ? score : best[l];                                             \
        }                                                                                          \
      }                                                                                            \
      for (int l = 0; l < LANES; ++l) maxima[block * LANES + l] = best[l];                         \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  FOR_EVERY_ISA                                                                                    \
  size_t CKernels_gather_##SUFFIX(const NUMBER *x, size_t start, size_t end, NUMBER bound,         \
                                  bool absolute, double *scores, int32_t *columns) {               \
    size_t count = 0;                                                                              \
    size_t i = start;                                                                              \
    for (; i + LANES <= end; i += LANES) {                                                         \
      line_##SUFFIX line;                                                                          \
      memcpy(&line, x + i, sizeof line);                                                           \
      if (absolute) line = __builtin_elementwise_abs(line);                                        \
      lane_mask mask = __builtin_convertvector(line >= bound, lane_mask);                          \
      uint16_t hits;                                                                               \
      memcpy(&hits, &mask, sizeof hits);                                                           \
      for (; hits != 0; hits &= (uint16_t)(hits - 1)) {                                            \
        size_t column = i + (size_t)__builtin_ctz(hits);                                           \
        scores[count] = absolute ? ABS(x[column]) : x[column];                                     \
        columns[count++] = (int32_t)column;                                                        \
      }                                                                                            \
    }                                                                                              \
    for (; i < end; ++i) {                                                                         \
      NUMBER score = absolute ? ABS(x[i]) : x[i];                                                  \
      scores[count] = score;                                                                       \
      columns[count] = (int32_t)i;                                                                 \
      count += score >= bound;                                                                     \
    }                                                                                              \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  FOR_EVERY_ISA                                                                                    \
  bool CKernels_all_finite_##SUFFIX(const NUMBER *x, size_t n) {                                   \
    /* x * 0 is 0 for every finite x, and NaN for all others. */                                   \
    NUMBER sums[LANES] = {0};                                                                      \
    size_t i = 0;                                                                                  \
    for (; i + LANES <= n; i += LANES) {                                                           \
      for (int l = 0; l < LANES; ++l) sums[l] += x[i + l] * 0;                                     \
    }                                                                                              \
    NUMBER sum = 0;                                                                                \
    for (int l = 0; l < LANES; ++l) sum += sums[l];                                                \
    for (; i < n; ++i) sum += x[i] * 0;                                                            \
    return sum == 0;                                                                               \
  }                                                                                                \
                                                                                                   \
  FOR_EVERY_ISA                                                                                    \
  void CKernels_load_##SUFFIX(const NUMBER *x, size_t n, bool negated, NUMBER *out) {              \
    for (size_t i = 0; i < n; ++i) out[i] = negated && x[i] != -INFINITY ? -x[i] : x[i];           \
  }

DEFINE_KERNELS(f32, float, fabsf)
DEFINE_KERNELS(f64, double, fabs)

FOR_EVERY_ISA
bool CKernels_all_finite_16(const uint16_t *x, size_t n, uint16_t mask) {
  uint16_t found = 0;
  for (size_t i = 0; i < n; ++i) found |= (x[i] & mask) == mask;
  return found == 0;
}

// Written as integers and one product, so that compilers make vectors of it on every machine.
static inline float widened_f16(uint16_t half) {
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

static inline float widened_bf16(uint16_t half) {
  uint32_t bits = (uint32_t)half << 16;
  float number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

#define DEFINE_WIDENING(SUFFIX)                                                                    \
  FOR_EVERY_ISA                                                                                    \
  void CKernels_load_##SUFFIX(const uint16_t *x, size_t n, bool negated, float *out) {             \
    for (size_t i = 0; i < n; ++i) {                                                               \
      float number = widened_##SUFFIX(x[i]);                                                       \
      out[i] = negated && number != -INFINITY ? -number : number;                                  \
    }                                                                                              \
  }

DEFINE_WIDENING(f16)
DEFINE_WIDENING(bf16)

FOR_EVERY_ISA
size_t CKernels_count_at_least(const double *values, size_t n, double bound) {
  size_t count = 0;
  for (size_t i = 0; i < n; ++i) count += values[i] >= bound;
  return count;
}

FOR_EVERY_ISA
double CKernels_smallest_at_least(const double *values, size_t n, double bound) {
  double best[LANES];
  for (int l = 0; l < LANES; ++l) best[l] = INFINITY;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int l = 0; l < LANES; ++l) {
      double value = values[i + l] >= bound ? values[i + l] : INFINITY;
      best[l] = value < best[l] ? value : best[l];
    }
  }
  double result = INFINITY;
  for (int l = 0; l < LANES; ++l) result = best[l] < result ? best[l] : result;
  for (; i < n; ++i) result = values[i] >= bound && values[i] < result ? values[i] : result;
  return result;
}

FOR_EVERY_ISA
double CKernels_largest_below(const double *values, size_t n, double bound) {
  double best[LANES];
  for (int l = 0; l < LANES; ++l) best[l] = -INFINITY;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int l = 0; l < LANES; ++l) {
      double value = values[i + l] < bound ? values[i + l] : -INFINITY;
      best[l] = value > best[l] ? value : best[l];
    }
  }
  double result = -INFINITY;
  for (int l = 0; l < LANES; ++l) result = best[l] > result ? best[l] : result;
  for (; i < n; ++i) result = values[i] < bound && values[i] > result ? values[i] : result;
  return result;
}
