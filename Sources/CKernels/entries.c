// What is selected in a few short rows whose threshold is known.
#include "isa.h"

enum { WORD = 64 };

// What the entries of a row are computed from. At a hard row's cap everything is full.
typedef struct Row {
  double next, lambda, inverse, t, cap;
} Row;

INLINE quad_f64 clamped(quad_f64 number) { return number < DBL_MAX ? number : DBL_MAX; }

// Weights, slopes and levels of a row's entries, which have their scores; returns the weight that
// they share. What it writes behind them is the next row's.
INLINE double complete(const Row *row, size_t start, size_t end, double k, const bool is_magnitude,
                       const bool is_cubic, const bool is_derived, CKernels_Entries to) {
  int capped = 0;
  for (size_t i = start; i < end; i += QUAD) {
    const quad_f64 scores = LOAD(quad_f64, to.scores + i);
    quad_f64 u = (scores - row->next) / row->lambda + row->t;
    quad_f64 power = is_cubic ? u * u * u : u;
    quad_i64 is_capped = power >= row->cap;
    quad_f64 full = is_magnitude ? scores : 1;
    quad_f64 part = is_magnitude ? row->lambda * u + power : power;
    STORE(to.weights + i, is_capped ? full : part);
    if (is_derived) {
      quad_f64 slopes = (is_cubic ? 3 * u * u : 1) * row->inverse;
      STORE(to.slopes + i, is_capped ? 0 : clamped(slopes));
      STORE(to.levels + i, is_capped ? 0 : clamped(u));
      const unsigned lanes = end - i < QUAD ? (1u << (end - i)) - 1 : (1u << QUAD) - 1;
      capped += __builtin_popcount(QUAD_BITS(is_capped) & lanes);
    }
  }
  // At least one entry is active by a full weight; rounding may have capped it.
  return k - capped > 1 ? k - capped : 1;
}

#define DEFINE_ROW_ENTRIES(SUFFIX, NUMBER)                                                         \
  /* Which of up to 64 scores reach the bound; |-inf| does not. */                                 \
  INLINE uint64_t reaching_##SUFFIX(const NUMBER *x, size_t width, NUMBER bound,                   \
                                    bool is_magnitude) {                                           \
    uint64_t reaching = 0;                                                                         \
    for (size_t i = 0; i < width; i += EIGHT) {                                                    \
      eight_##SUFFIX line = (eight_##SUFFIX)(NUMBER)(-INFINITY);                                   \
      if (i + EIGHT <= width) {                                                                    \
        __builtin_memcpy_inline(&line, x + i, sizeof line);                                        \
      } else {                                                                                     \
        for (size_t c = 0; c < width - i; ++c) line[c] = x[i + c];                                 \
      }                                                                                            \
      if (is_magnitude) {                                                                          \
        eight_##SUFFIX magnitude = __builtin_elementwise_abs(line);                                \
        line = magnitude < (NUMBER)INFINITY ? magnitude : line;                                    \
      }                                                                                            \
      reaching |= (uint64_t)EIGHT_BITS(line >= bound) << i;                                        \
    }                                                                                              \
    return reaching;                                                                               \
  }                                                                                                \
                                                                                                   \
  INLINE size_t row_entries_##SUFFIX(const NUMBER *x, const CKernels_KnownRows *known,             \
                                     const bool is_magnitude, const bool is_cubic,                 \
                                     CKernels_Entries to, int32_t *restrict positions,             \
                                     CKernels_Segment *segments) {                                 \
    const size_t n = known->n, rows = known->last - known->first;                                  \
    const CKernels_RowRoots *roots = known->roots;                                                 \
    Row computed[LANES];                                                                           \
    double *restrict scores = to.scores;                                                           \
    int32_t *restrict columns = to.columns;                                                        \
    size_t count = 0;                                                                              \
    for (size_t r = 0; r < rows; ++r) {                                                            \
      const size_t lane = known->first + r, k = (size_t)known->ks[lane];                           \
      /* Nothing equals a hard row's k-th score but what is selected. */                           \
      const bool is_hard = (roots->hard >> lane & 1) != 0;                                         \
      const double next = known->tops[k * LANES + lane], lambda = known->lambdas[lane];            \
      const double t = roots->t[lane], cap = is_magnitude ? next - lambda * t : 1;                 \
      computed[r] = (Row){next, lambda, 1 / lambda, t, is_hard ? -INFINITY : cap};                 \
      const double hard_bound = known->skips_hard ? INFINITY : known->tops[(k - 1) * LANES + lane];\
      const NUMBER bound = (NUMBER)(is_hard ? hard_bound : roots->bound[lane]);                    \
      segments[r].start = count;                                                                   \
      for (size_t i = 0; i < n; i += WORD) {                                                       \
        const size_t width = n - i < WORD ? n - i : WORD;                                          \
        const NUMBER *from = x + r * n + i;                                                        \
        uint64_t left = width == WORD ? reaching_##SUFFIX(from, WORD, bound, is_magnitude)         \
                                      : reaching_##SUFFIX(from, width, bound, is_magnitude);       \
        const size_t found = (size_t)__builtin_popcountll(left);                                   \
        /* Four at a time, the last of which may be none: how many there are is hard to guess. */  \
        for (size_t e = 0; e < found; e += 4) {                                                    \
          for (size_t j = count + e; j < count + e + 4; ++j) {                                     \
            int l = left != 0 ? __builtin_ctzll(left) : 0;                                         \
            left &= left - 1;                                                                      \
            scores[j] = is_magnitude ? fabs((double)from[l]) : (double)from[l];                    \
            columns[j] = (int32_t)i + l;                                                           \
            positions[j] = (int32_t)(r * n + i) + l;                                               \
          }                                                                                        \
        }                                                                                          \
        count += found;                                                                            \
      }                                                                                            \
      segments[r].end = count;                                                                     \
    }                                                                                              \
    for (size_t r = 0; r < rows; ++r) {                                                            \
      const size_t start = segments[r].start, end = segments[r].end;                               \
      const double k = known->ks[known->first + r];                                                \
      segments[r].weight =                                                                         \
          known->is_derived                                                                        \
              ? complete(computed + r, start, end, k, is_magnitude, is_cubic, true, to)            \
              : complete(computed + r, start, end, k, is_magnitude, is_cubic, false, to);          \
    }                                                                                              \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_row_entries_##SUFFIX,                                                    \
         (const NUMBER *x, const CKernels_KnownRows *rows, CKernels_Entries to,                    \
          int32_t *positions, CKernels_Segment *segments),                                         \
         (x, rows, to, positions, segments)) {                                                     \
    if (rows->is_magnitude) {                                                                      \
      return rows->is_cubic                                                                        \
                 ? row_entries_##SUFFIX(x, rows, true, true, to, positions, segments)              \
                 : row_entries_##SUFFIX(x, rows, true, false, to, positions, segments);            \
    }                                                                                              \
    return rows->is_cubic                                                                          \
               ? row_entries_##SUFFIX(x, rows, false, true, to, positions, segments)               \
               : row_entries_##SUFFIX(x, rows, false, false, to, positions, segments);             \
  }

DEFINE_ROW_ENTRIES(f32, float)
DEFINE_ROW_ENTRIES(f64, double)
