// Passes over lists of candidates and of selected entries.
#include "rounding.h"

KERNEL(size_t, CKernels_keep, (double *scores, int32_t *columns, size_t n, double bound),
       (scores, columns, n, bound)) {
  size_t i = 0;
  // Nothing moves until something is dropped.
  while (i + LANES <= n && MASK_BITS(LOAD(line_f64, scores + i) >= bound) == ALL_LANES) i += LANES;
  size_t kept = i;
  for (; i < n; ++i) {
    double score = scores[i];
    scores[kept] = score;
    columns[kept] = columns[i];
    kept += score >= bound;
  }
  return kept;
}

KERNEL(size_t, CKernels_between,
       (const double *values, size_t n, double low, double high, double *out, size_t *above),
       (values, n, low, high, out, above)) {
  size_t kept = 0, count = 0;
  for (size_t i = 0; i < n; ++i) {
    double value = values[i];
    out[kept] = value;
    kept += (value >= low) & (value <= high);
    count += value > high;
  }
  *above = count;
  return kept;
}

KERNEL(double, CKernels_largest_magnitude, (const double *values, size_t n), (values, n)) {
  line_f64 best = 0;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    line_f64 line = __builtin_elementwise_abs(LOAD(line_f64, values + i));
    best = line > best ? line : best;
  }
  double largest = 0;
  for (int l = 0; l < LANES; ++l) largest = best[l] > largest ? best[l] : largest;
  for (; i < n; ++i) largest = fabs(values[i]) > largest ? fabs(values[i]) : largest;
  return largest;
}

#define DEFINE_LISTS(SUFFIX, NUMBER, LARGEST)                                                      \
  KERNEL(void, CKernels_signs_##SUFFIX,                                                            \
         (const NUMBER *x, const int32_t *columns, size_t n, double *signs),                       \
         (x, columns, n, signs)) {                                                                 \
    for (size_t i = 0; i < n; ++i) {                                                               \
      NUMBER value = x[columns[i]];                                                                \
      signs[i] = (value > 0) - (value < 0);                                                        \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  INLINE size_t round_line_##SUFFIX(const double *values, const int32_t *columns, size_t start,    \
                                    size_t n, bool keeps_zeros, NUMBER *data, int32_t *indices) {  \
    size_t kept = 0;                                                                               \
    for (size_t i = start; i < start + n; ++i) {                                                   \
      double value = values[i] < LARGEST ? values[i] : LARGEST;                                    \
      value = value > -LARGEST ? value : -LARGEST;                                                 \
      /* + 0: no negative zeros. */                                                                \
      data[kept] = (NUMBER)value + 0;                                                              \
      indices[kept] = columns == NULL ? (int32_t)i : columns[i];                                   \
      kept += keeps_zeros || data[kept] != 0;                                                      \
    }                                                                                              \
    return kept;                                                                                   \
  }                                                                                                \
                                                                                                   \
  INLINE size_t round_##SUFFIX(const double *values, const int32_t *columns, size_t n,             \
                               bool keeps_zeros, NUMBER *data, int32_t *indices,                   \
                               bool *is_finite) {                                                  \
    const line_i32 first = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};                 \
    line_f64 checks = 0;                                                                           \
    size_t kept = 0, i = 0;                                                                        \
    for (; i + LANES <= n; i += LANES) {                                                           \
      line_f64 line = LOAD(line_f64, values + i);                                                  \
      checks += line * 0;                                                                          \
      line = line < LARGEST ? line : LARGEST;                                                      \
      line = line > -LARGEST ? line : -LARGEST;                                                    \
      line_##SUFFIX rounded = __builtin_convertvector(line, line_##SUFFIX) + 0;                    \
      if (MASK_BITS(rounded != 0) == ALL_LANES || keeps_zeros) {                                   \
        STORE(data + kept, rounded);                                                               \
        STORE(indices + kept, columns == NULL ? first + (int32_t)i : LOAD(line_i32, columns + i)); \
        kept += LANES;                                                                             \
      } else {                                                                                     \
        kept += round_line_##SUFFIX(values, columns, i, LANES, false, data + kept,                 \
                                    indices + kept);                                               \
      }                                                                                            \
    }                                                                                              \
    double check = sum_of(checks);                                                                 \
    for (size_t rest = i; rest < n; ++rest) check += values[rest] * 0;                             \
    if (check != 0) *is_finite = false;                                                            \
    return kept + round_line_##SUFFIX(values, columns, i, n - i, keeps_zeros, data + kept,         \
                                      indices + kept);                                             \
  }                                                                                                \
                                                                                                   \
  DEFINE_ROUNDING(SUFFIX, NUMBER)                                                                  \
                                                                                                   \
  KERNEL(size_t, CKernels_pack_##SUFFIX,                                                           \
         (const NUMBER *values, size_t n, NUMBER *data, int32_t *indices, bool *is_finite),        \
         (values, n, data, indices, is_finite)) {                                                  \
    const line_i32 first = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};                 \
    line_##SUFFIX checks = 0;                                                                      \
    size_t kept = 0, i = 0;                                                                        \
    for (; i + LANES <= n; i += LANES) {                                                           \
      line_##SUFFIX line = LOAD(line_##SUFFIX, values + i);                                        \
      checks += line * 0;                                                                          \
      if (MASK_BITS(line != 0) == ALL_LANES) {                                                     \
        STORE(data + kept, line);                                                                  \
        STORE(indices + kept, first + (int32_t)i);                                                 \
        kept += LANES;                                                                             \
        continue;                                                                                  \
      }                                                                                            \
      for (size_t l = i; l < i + LANES; ++l) {                                                     \
        data[kept] = values[l];                                                                    \
        indices[kept] = (int32_t)l;                                                                \
        kept += values[l] != 0;                                                                    \
      }                                                                                            \
    }                                                                                              \
    for (; i < n; ++i) {                                                                           \
      data[kept] = values[i];                                                                      \
      indices[kept] = (int32_t)i;                                                                  \
      kept += values[i] != 0;                                                                      \
      checks[0] += values[i] * 0;                                                                  \
    }                                                                                              \
    if (MASK_BITS(checks != 0) != 0) *is_finite = false;                                           \
    return kept;                                                                                   \
  }

DEFINE_LISTS(f32, float, (double)FLT_MAX)
DEFINE_LISTS(f64, double, DBL_MAX)
