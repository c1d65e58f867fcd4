// Rounding of rows, for every type of answers.
#ifndef CKERNELS_ROUNDING_H
#define CKERNELS_ROUNDING_H

#include "isa.h"

// The two kernels of a type, from round_SUFFIX(values, columns, n, keeps_zeros, data, indices,
// is_finite), which returns how many it kept.
#define DEFINE_ROUNDING(SUFFIX, DATA)                                                              \
  KERNEL(size_t, CKernels_round_##SUFFIX,                                                          \
         (const double *values, const int32_t *columns, size_t n, bool keeps_zeros, DATA *data,    \
          int32_t *indices, bool *is_finite),                                                      \
         (values, columns, n, keeps_zeros, data, indices, is_finite)) {                            \
    return round_##SUFFIX(values, columns, n, keeps_zeros, data, indices, is_finite);              \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_round_rows_##SUFFIX,                                                     \
         (const double *values, const int32_t *columns, const CKernels_Segment *rows,              \
          size_t count, bool keeps_zeros, DATA *data, int32_t *indices, ptrdiff_t *ends,           \
          bool *is_finite),                                                                        \
         (values, columns, rows, count, keeps_zeros, data, indices, ends, is_finite)) {            \
    const size_t start = rows[0].start, all = rows[count - 1].end - start;                         \
    round_##SUFFIX(values, columns, all, true, data, indices, is_finite);                          \
    bool has_zero = false;                                                                         \
    for (size_t i = 0; i < all; ++i) has_zero |= data[i] == 0;                                     \
    if (keeps_zeros || !has_zero) {                                                                \
      for (size_t r = 0; r < count; ++r) ends[r] += (ptrdiff_t)(rows[r].end - start);              \
      return all;                                                                                  \
    }                                                                                              \
    /* Without a branch: which are zeros is hard to guess. */                                      \
    size_t kept = 0;                                                                               \
    for (size_t r = 0; r < count; ++r) {                                                           \
      for (size_t i = rows[r].start - start; i < rows[r].end - start; ++i) {                       \
        data[kept] = data[i];                                                                      \
        indices[kept] = indices[i];                                                                \
        kept += data[kept] != 0;                                                                   \
      }                                                                                            \
      ends[r] += (ptrdiff_t)kept;                                                                  \
    }                                                                                              \
    return kept;                                                                                   \
  }

#endif
