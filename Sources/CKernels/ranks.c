// Exact ranks: of a few numbers, and of a few short rows at once.
#include "isa.h"

// In lanes: compilers do not reorder a minimum of numbers that may be NaN.
INLINE double smallest_at_least(const double *values, size_t n, double bound) {
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

INLINE double largest_below(const double *values, size_t n, double bound) {
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

KERNEL(double, CKernels_largest, (const double *values, size_t n), (values, n)) {
  return largest_below(values, n, INFINITY);
}

KERNEL(void, CKernels_ranks,
       (const double *values, size_t n, size_t k, double *kth, double *next),
       (values, n, k, kth, next)) {
  double least = smallest_at_least(values, n, -INFINITY);
  double most = largest_below(values, n, INFINITY);
  /* count(>= low) >= k > count(>= high) throughout. Halving the value is quick on smooth data,
     halving the bits is bounded on any: at most 24 + 64 passes. */
  int64_t low = ordered_f64(least);
  int64_t high = ordered_f64(most) + 1;
  for (int pass = 0; low + 1 < high; ++pass) {
    double center = unordered_f64(low) / 2 + unordered_f64(high) / 2;
    int64_t middle = ordered_f64(center);
    if (pass >= 24 || middle <= low || middle >= high) middle = (low & high) + ((low ^ high) >> 1);
    double bound = unordered_f64(middle);
    size_t above = count_f64(values, n, bound);
    if (above == k) {
      *kth = smallest_at_least(values, n, bound);
      *next = largest_below(values, n, bound);
      return;
    }
    if (above > k) low = middle; else high = middle;
  }
  /* low is a value that occurs, as often as it takes to be the k-th. */
  *kth = unordered_f64(low);
  *next = count_f64(values, n, *kth) > k ? *kth : largest_below(values, n, *kth);
}

// Four stages of a butterfly make columns of 16 rows: stage D swaps what lies D rows and D lanes
// apart.
#define SWAPPED(A, B, D, HALF)                                                                     \
  __builtin_shufflevector(A, B, FROM(0, D, HALF), FROM(1, D, HALF), FROM(2, D, HALF),              \
                          FROM(3, D, HALF), FROM(4, D, HALF), FROM(5, D, HALF), FROM(6, D, HALF),  \
                          FROM(7, D, HALF), FROM(8, D, HALF), FROM(9, D, HALF), FROM(10, D, HALF), \
                          FROM(11, D, HALF), FROM(12, D, HALF), FROM(13, D, HALF),                 \
                          FROM(14, D, HALF), FROM(15, D, HALF))
// Lane L of the lower row (HALF 0) comes from A, or from B's lane D below; of the upper one from
// A's lane D above, or from B.
#define FROM(L, D, HALF)                                                                           \
  ((HALF) == 0 ? ((L) & (D) ? LANES + (L) - (D) : (L)) : ((L) & (D) ? LANES + (L) : (L) + (D)))
#define STAGE(D)                                                                                   \
  for (int i = 0; i < LANES; ++i) {                                                                \
    if (i & (D)) continue;                                                                         \
    line a = columns[i];                                                                           \
    line b = columns[i + (D)];                                                                     \
    columns[i] = SWAPPED(a, b, D, 0);                                                              \
    columns[i + (D)] = SWAPPED(a, b, D, 1);                                                        \
  }

#define DEFINE_ROW_RANKS(SUFFIX, NUMBER)                                                           \
  /* Inlined for every k, so that `top` is a few registers. */                                     \
  INLINE void row_ranks_##SUFFIX(                                                                  \
      const NUMBER *x, size_t rows, size_t n, const size_t k, bool absolute, NUMBER *kth,          \
      NUMBER *next) {                                                                              \
    typedef line_##SUFFIX line;                                                                    \
    line top[CKernels_row_ranks_max + 1];                                                          \
    for (size_t m = 0; m <= k; ++m) top[m] = (line)(NUMBER)(-INFINITY);                            \
    for (size_t start = 0; start < n; start += LANES) {                                            \
      size_t width = n - start < LANES ? n - start : LANES;                                        \
      line columns[LANES];                                                                         \
      for (size_t r = 0; r < LANES; ++r) {                                                         \
        /* Lanes beyond the last row repeat it. */                                                 \
        const NUMBER *row = x + (r < rows ? r : rows - 1) * n + start;                             \
        if (width == LANES) {                                                                      \
          memcpy(&columns[r], row, sizeof(line));                                                  \
        } else {                                                                                   \
          columns[r] = (line)(NUMBER)(-INFINITY);                                                  \
          memcpy(&columns[r], row, width * sizeof(NUMBER));                                        \
        }                                                                                          \
        if (absolute) columns[r] = __builtin_elementwise_abs(columns[r]);                          \
      }                                                                                            \
      STAGE(8)                                                                                     \
      STAGE(4)                                                                                     \
      STAGE(2)                                                                                     \
      STAGE(1)                                                                                     \
      for (size_t c = 0; c < width; ++c) {                                                         \
        line value = columns[c];                                                                   \
        for (size_t m = 0; m <= k; ++m) {                                                          \
          line higher = value > top[m] ? value : top[m];                                           \
          value = value > top[m] ? top[m] : value;                                                 \
          top[m] = higher;                                                                         \
        }                                                                                          \
      }                                                                                            \
    }                                                                                              \
    memcpy(kth, &top[k - 1], sizeof(line));                                                        \
    memcpy(next, &top[k], sizeof(line));                                                           \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_row_ranks_##SUFFIX,                                                        \
         (const NUMBER *x, size_t rows, size_t n, size_t k, bool absolute, NUMBER *kth,            \
          NUMBER *next), (x, rows, n, k, absolute, kth, next)) {                                   \
    switch (k) {                                                                                   \
      case 1: row_ranks_##SUFFIX(x, rows, n, 1, absolute, kth, next); return;                      \
      case 2: row_ranks_##SUFFIX(x, rows, n, 2, absolute, kth, next); return;                      \
      case 3: row_ranks_##SUFFIX(x, rows, n, 3, absolute, kth, next); return;                      \
      case 4: row_ranks_##SUFFIX(x, rows, n, 4, absolute, kth, next); return;                      \
      case 5: row_ranks_##SUFFIX(x, rows, n, 5, absolute, kth, next); return;                      \
      case 6: row_ranks_##SUFFIX(x, rows, n, 6, absolute, kth, next); return;                      \
      case 7: row_ranks_##SUFFIX(x, rows, n, 7, absolute, kth, next); return;                      \
      default: row_ranks_##SUFFIX(x, rows, n, 8, absolute, kth, next); return;                     \
    }                                                                                              \
  }

DEFINE_ROW_RANKS(f32, float)
DEFINE_ROW_RANKS(f64, double)
