// A few short rows at once: in a row of 64 numbers there is too little for SIMD along it.
#include "tops.h"

#define DEFINE_ROW_TOPS(SUFFIX, NUMBER)                                                            \
  INLINE void row_tops_##SUFFIX(                                                                   \
      const NUMBER *x, size_t rows, size_t n, const size_t m, bool absolute,                       \
      double *tops) {                                                                              \
    const size_t low = rows < EIGHT ? rows : EIGHT;                                                \
    eight_tops_##SUFFIX(x, low, n, m, absolute, tops);                                             \
    if (rows > EIGHT) {                                                                            \
      eight_tops_##SUFFIX(x + EIGHT * n, rows - EIGHT, n, m, absolute, tops + EIGHT);              \
      return;                                                                                      \
    }                                                                                              \
    for (size_t j = 0; j < m; ++j) {                                                               \
      for (size_t r = EIGHT; r < LANES; ++r) tops[j * LANES + r] = tops[j * LANES + low - 1];      \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_row_tops_##SUFFIX,                                                         \
         (const NUMBER *x, size_t rows, size_t n, size_t m, bool absolute, double *tops),          \
         (x, rows, n, m, absolute, tops)) {                                                        \
    switch (m) {                                                                                   \
      case 5: row_tops_##SUFFIX(x, rows, n, 5, absolute, tops); return;                            \
      case 6: row_tops_##SUFFIX(x, rows, n, 6, absolute, tops); return;                            \
      case 7: row_tops_##SUFFIX(x, rows, n, 7, absolute, tops); return;                            \
      case 8: row_tops_##SUFFIX(x, rows, n, 8, absolute, tops); return;                            \
      case 9: row_tops_##SUFFIX(x, rows, n, 9, absolute, tops); return;                            \
      case 10: row_tops_##SUFFIX(x, rows, n, 10, absolute, tops); return;                          \
      case 11: row_tops_##SUFFIX(x, rows, n, 11, absolute, tops); return;                          \
      default: row_tops_##SUFFIX(x, rows, n, 12, absolute, tops); return;                          \
    }                                                                                              \
  }

DEFINE_ROW_TOPS(f32, float)
DEFINE_ROW_TOPS(f64, double)
