// The largest numbers of eight short rows at once, with SIMD across the rows.
#ifndef CKERNELS_TOPS_H
#define CKERNELS_TOPS_H

#include "isa.h"

// Three stages of a butterfly make columns of 8 rows: stage D swaps what lies D rows and D lanes
// apart. By eights: the columns of 16 rows would not stay in registers.
#define SWAPPED(A, B, D, HALF)                                                                     \
  __builtin_shufflevector(A, B, FROM(0, D, HALF), FROM(1, D, HALF), FROM(2, D, HALF),              \
                          FROM(3, D, HALF), FROM(4, D, HALF), FROM(5, D, HALF), FROM(6, D, HALF),  \
                          FROM(7, D, HALF))
// Lane L of the lower row (HALF 0) comes from A, or from B's lane D below; of the upper one from
// A's lane D above, or from B.
#define FROM(L, D, HALF)                                                                           \
  ((HALF) == 0 ? ((L) & (D) ? EIGHT + (L) - (D) : (L)) : ((L) & (D) ? EIGHT + (L) : (L) + (D)))
#define STAGE(D)                                                                                   \
  for (int i = 0; i < EIGHT; ++i) {                                                                \
    if (i & (D)) continue;                                                                         \
    eight a = columns[i];                                                                          \
    eight b = columns[i + (D)];                                                                    \
    columns[i] = SWAPPED(a, b, D, 0);                                                              \
    columns[i + (D)] = SWAPPED(a, b, D, 1);                                                        \
  }

// Of two values the lower and the higher.
#define SORTED(A, B)                                                                               \
  do {                                                                                             \
    eight lower = (A) > (B) ? (B) : (A);                                                           \
    (B) = (A) > (B) ? (A) : (B);                                                                   \
    (A) = lower;                                                                                   \
  } while (0)

#define DEFINE_EIGHT_TOPS(SUFFIX, NUMBER)                                                          \
  /* The m largest of each lane, ascending, after four more values. What is larger of each pair    \
     falls, then rises: a bitonic merge sorts it, as if what it lacks to a power of two were       \
     infinite. 28 operations for m = 6, where four insertions take 48. */                          \
  INLINE void take_four_##SUFFIX(eight_##SUFFIX *top, const size_t m, eight_##SUFFIX *v) {         \
    typedef eight_##SUFFIX eight;                                                                  \
    SORTED(v[1], v[0]);                                                                            \
    SORTED(v[3], v[2]);                                                                            \
    SORTED(v[2], v[0]);                                                                            \
    SORTED(v[3], v[1]);                                                                            \
    SORTED(v[2], v[1]);                                                                            \
    for (size_t j = 0; j < 4; ++j) top[j] = v[j] > top[j] ? v[j] : top[j];                         \
    for (size_t apart = 8; apart > 0; apart /= 2) {                                                \
      for (size_t j = 0; j + apart < m; ++j) {                                                     \
        if ((j & apart) == 0) SORTED(top[j], top[j + apart]);                                      \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  /* Inlined for every m, so that `top` is a few registers. */                                     \
  INLINE void eight_tops_##SUFFIX(                                                                 \
      const NUMBER *x, size_t rows, size_t n, const size_t m, bool absolute,                       \
      double *tops) {                                                                              \
    typedef eight_##SUFFIX eight;                                                                  \
    eight top[CKernels_row_tops_max];                                                              \
    for (size_t j = 0; j < m; ++j) top[j] = (eight)(NUMBER)(-INFINITY);                            \
    for (size_t start = 0; start < n; start += EIGHT) {                                            \
      size_t width = n - start < EIGHT ? n - start : EIGHT;                                        \
      eight columns[EIGHT];                                                                        \
      for (size_t r = 0; r < EIGHT; ++r) {                                                         \
        /* Lanes beyond the last row repeat it. */                                                 \
        const NUMBER *row = x + (r < rows ? r : rows - 1) * n + start;                             \
        columns[r] = (eight)(NUMBER)(-INFINITY);                                                   \
        if (width == EIGHT) {                                                                      \
          /* Not memcpy: compilers make one call of both, for any width. */                        \
          __builtin_memcpy_inline(&columns[r], row, sizeof(eight));                                \
        } else {                                                                                   \
          for (size_t c = 0; c < width; ++c) columns[r][c] = row[c];                               \
        }                                                                                          \
        if (absolute) {                                                                            \
          eight magnitude = __builtin_elementwise_abs(columns[r]);                                 \
          columns[r] = magnitude < (NUMBER)INFINITY ? magnitude : columns[r];                      \
        }                                                                                          \
      }                                                                                            \
      STAGE(4)                                                                                     \
      STAGE(2)                                                                                     \
      STAGE(1)                                                                                     \
      /* Columns beyond the last are -inf. */                                                      \
      take_four_##SUFFIX(top, m, columns);                                                         \
      if (width > 4) take_four_##SUFFIX(top, m, columns + 4);                                      \
    }                                                                                              \
    for (size_t j = 0; j < m; ++j) {                                                               \
      STORE(tops + j * LANES, __builtin_convertvector(top[m - 1 - j], eight_f64));                 \
    }                                                                                              \
  }

DEFINE_EIGHT_TOPS(f32, float)
DEFINE_EIGHT_TOPS(f64, double)

#undef SWAPPED
#undef FROM
#undef STAGE

#endif
