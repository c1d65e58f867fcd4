// The few entries of a SOFT top-k row that a threshold near the centre is made of, see soft.c: the
// others are so far below it that their shares are a geometric series of which two terms are kept.
#include "isa.h"

// A sum of so many numbers at a time keeps the digits of float32.
enum { RUN = 8 * LANES };

#define DEFINE_SPLIT(SUFFIX, NUMBER, LIMIT)                                                        \
  KERNEL(CKernels_SoftSplit, CKernels_soft_split_##SUFFIX,                                         \
         (const NUMBER *e, size_t n, size_t near_max, NUMBER *near), (e, n, near_max, near)) {     \
    CKernels_SoftSplit split = {0};                                                                \
    bool is_few = true;                                                                            \
    for (size_t start = 0; start < n; start += RUN) {                                              \
      const size_t end = start + RUN < n ? start + RUN : n;                                        \
      line_##SUFFIX sums = 0, squares = 0;                                                         \
      for (size_t i = start; i < end; i += LANES) {                                                \
        line_##SUFFIX entry = LOAD(line_##SUFFIX, e + i);                                          \
        __typeof__(entry < 0) is_above = LOAD(__typeof__(entry < 0), e + i) < 0;                   \
        __typeof__(entry < 0) is_near = is_above | (entry > (NUMBER)LIMIT);                        \
        line_##SUFFIX far = is_near ? 0 : entry;                                                   \
        sums += far;                                                                               \
        /* Those whose squares matter: others are denormal, which is slow. */                      \
        line_##SUFFIX large = far > (NUMBER)(LIMIT * 0x1p-24) ? far : 0;                           \
        squares += large * large;                                                                  \
        uint16_t bits = MASK_BITS(is_near);                                                        \
        if (bits == 0) continue;                                                                   \
        split.above += (size_t)__builtin_popcount(MASK_BITS(is_above));                            \
        if (!is_few) continue;                                                                     \
        size_t kept = split.near;                                                                  \
        for (int l = 0; l < LANES; ++l) {                                                          \
          near[kept] = e[i + l];                                                                   \
          kept += bits >> l & 1;                                                                   \
        }                                                                                          \
        split.near = kept;                                                                         \
        is_few = kept <= near_max;                                                                 \
      }                                                                                            \
      split.sum += sum_of(__builtin_convertvector(sums, line_f64));                                \
      split.squares += sum_of(__builtin_convertvector(squares, line_f64));                         \
    }                                                                                              \
    if (is_few) {                                                                                  \
      /* Whole slices: 0 is an entry that adds nothing. */                                         \
      STORE(near + split.near, (line_##SUFFIX)(NUMBER)0);                                          \
    } else {                                                                                       \
      split.near = SIZE_MAX;                                                                       \
    }                                                                                              \
    return split;                                                                                  \
  }

DEFINE_SPLIT(f32, float, 0x1p-16)
DEFINE_SPLIT(f64, double, 0x1p-30)
