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
    size_t kept = round_##SUFFIX(values, columns, all, keeps_zeros, data, indices, is_finite);     \
    if (kept == all) {                                                                             \
      for (size_t r = 0; r < count; ++r) ends[r] += (ptrdiff_t)(rows[r].end - start);              \
      return kept;                                                                                 \
    }                                                                                              \
    /* A zero was dropped: once more, row by row. */                                               \
    kept = 0;                                                                                      \
    for (size_t r = 0; r < count; ++r) {                                                           \
      const size_t own = rows[r].start - start, n = rows[r].end - rows[r].start;                   \
      kept += round_##SUFFIX(values + own, columns + own, n, keeps_zeros, data + kept,             \
                             indices + kept, is_finite);                                           \
      ends[r] += (ptrdiff_t)kept;                                                                  \
    }                                                                                              \
    return kept;                                                                                   \
  }

#endif
