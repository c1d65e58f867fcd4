// The few numbers of a short row that may be selected, without ranking the others.
//
// The k-th largest of the maxima of some parts of a row is at most its k-th score: so many numbers
// reach it. No threshold is far below that score (by lambda for mask), so that it gives a bound
// that few numbers of a row reach. They are found by the bits of a comparison, 64 at a time.
#include "tops.h"

// Candidates are written by fours: up to three more than there may be.
enum { WORD = 64, PARTS_MAX = 4, ROOM = CKernels_candidates_max + 4 };
enum { RANKS_MAX = CKernels_candidates_k_max + 1 };
// Up to this k eight parts do; more of them are closer to the k-th score.
enum { FEW_K = 2 };

// A bound under which nothing is active if the k-th largest score is kth or more: it rises with it.
// `slack` covers its rounding.
INLINE double bound_of(double kth, double lambda, double e, bool is_magnitude, double slack) {
  if (!is_magnitude || lambda == 0) return kth - lambda - slack * (fabs(kth) + lambda);
  // v + lambda v^(1/e) = kth at the threshold v.
  if (e == 1) return kth / (1 + lambda) * (1 - slack);
  double bound = fmin(kth / 2, e == 3 ? kth * kth * kth / (8 * lambda * lambda * lambda)
                                      : pow(kth / (2 * lambda), e));
  // v >= kth - lambda kth^(1/3), and a^(1/3) <= (a + 2) / 3.
  if (e == 3 && lambda < 3) bound = fmax(bound, kth - lambda * (kth + 2) / 3);
  return bound - slack * kth;
}

// Asks for row r of what comes next, while there is something to compute.
INLINE void bring(const char *rows, size_t r, size_t bytes) {
  if (rows == NULL) return;
  for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(rows + r * bytes + i, 0, 2);
}

#define DEFINE_CANDIDATES(SUFFIX, NUMBER, BITS, LARGEST, SLACK, WIDE)                              \
  /* Candidate j of row r at 16 j + r, as bits; -inf behind a row's last. */                       \
  typedef struct Found_##SUFFIX {                                                                  \
    BITS scores[ROOM * LANES];                                                                     \
    int32_t *columns;                                                                              \
  } Found_##SUFFIX;                                                                                \
                                                                                                   \
  typedef NUMBER WIDE __attribute__((ext_vector_type(WORD)));                                      \
                                                                                                   \
  /* Eight scores of a row, -inf behind its end. */                                                \
  INLINE eight_##SUFFIX scores_##SUFFIX(const NUMBER *x, size_t width, const bool absolute) {      \
    eight_##SUFFIX line = (eight_##SUFFIX)(NUMBER)(-INFINITY);                                     \
    if (width >= EIGHT) {                                                                          \
      __builtin_memcpy_inline(&line, x, sizeof line);                                              \
      return absolute ? __builtin_elementwise_abs(line) : line;                                    \
    }                                                                                              \
    for (size_t c = 0; c < width; ++c) line[c] = absolute && x[c] < 0 ? -x[c] : x[c];              \
    return line;                                                                                   \
  }                                                                                                \
                                                                                                   \
  /* The maxima of 8 `parts` parts of a row. */                                                    \
  INLINE void maxima_##SUFFIX(const NUMBER *x, size_t n, const size_t parts, const bool absolute,  \
                              NUMBER *maxima) {                                                    \
    eight_##SUFFIX best[PARTS_MAX];                                                                \
    for (size_t p = 0; p < parts; ++p) best[p] = (eight_##SUFFIX)(NUMBER)(-INFINITY);              \
    size_t i = 0;                                                                                  \
    for (; i + parts * EIGHT <= n; i += parts * EIGHT) {                                           \
      for (size_t p = 0; p < parts; ++p) {                                                         \
        eight_##SUFFIX line = scores_##SUFFIX(x + i + p * EIGHT, EIGHT, absolute);                 \
        best[p] = line > best[p] ? line : best[p];                                                 \
      }                                                                                            \
    }                                                                                              \
    for (size_t p = 0; i < n; i += EIGHT, ++p) {                                                   \
      eight_##SUFFIX line = scores_##SUFFIX(x + i, n - i, absolute);                               \
      best[p] = line > best[p] ? line : best[p];                                                   \
    }                                                                                              \
    for (size_t p = 0; p < parts; ++p) STORE(maxima + p * EIGHT, best[p]);                         \
  }                                                                                                \
                                                                                                   \
  /* Which of up to 64 scores reach the bound, which is finite. */                                 \
  INLINE uint64_t reaching_##SUFFIX(const NUMBER *x, size_t width, NUMBER bound,                   \
                                    const bool absolute) {                                         \
    if (width >= WORD) {                                                                           \
      WIDE word;                                                                                   \
      __builtin_memcpy_inline(&word, x, sizeof word);                                              \
      return WORD_BITS((absolute ? __builtin_elementwise_abs(word) : word) >= bound);              \
    }                                                                                              \
    uint64_t reaching = 0;                                                                         \
    for (size_t i = 0; i < width; i += EIGHT) {                                                    \
      eight_##SUFFIX line = scores_##SUFFIX(x + i, width - i, absolute);                           \
      reaching |= (uint64_t)EIGHT_BITS(line >= bound) << i;                                        \
    }                                                                                              \
    return reaching;                                                                               \
  }                                                                                                \
                                                                                                   \
  /* Those of row r; how many there are, or more than there is room for. */                        \
  INLINE size_t collect_row_##SUFFIX(const NUMBER *x, size_t n, NUMBER bound, const bool absolute, \
                                     size_t r, Found_##SUFFIX *to) {                               \
    const NUMBER infinity = -INFINITY;                                                             \
    const BITS none = LOAD(BITS, &infinity);                                                       \
    size_t count = 0;                                                                              \
    for (size_t i = 0; i < n; i += WORD) {                                                         \
      uint64_t left = reaching_##SUFFIX(x + i, n - i, bound, absolute);                            \
      const size_t end = count + (size_t)__builtin_popcountll(left);                               \
      if (end > CKernels_candidates_max) return CKernels_candidates_max + 1;                       \
      /* Four at a time, the last of which may be none: how many there are is hard to guess. */    \
      for (size_t first = count; first < end; first += 4) {                                        \
        for (size_t j = first; j < first + 4; ++j) {                                               \
          const int l = left != 0 ? __builtin_ctzll(left) : 0;                                     \
          const BITS score = LOAD(BITS, x + i + l);                                                \
          to->scores[j * LANES + r] = left != 0 ? score : none;                                    \
          to->columns[j * LANES + r] = (int32_t)i + l;                                             \
          left &= left - 1;                                                                        \
        }                                                                                          \
      }                                                                                            \
      count = end;                                                                                 \
    }                                                                                              \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  /* The m largest scores of eight rows from row `first` on, by their candidates. */               \
  INLINE void eight_best_##SUFFIX(const Found_##SUFFIX *from, size_t first, const size_t m,        \
                                  const bool absolute, CKernels_ShortRows *of, double *tops) {     \
    eight_##SUFFIX top[CKernels_row_tops_max];                                                     \
    for (size_t j = 0; j < m; ++j) top[j] = (eight_##SUFFIX)(NUMBER)(-INFINITY);                   \
    for (size_t start = 0; start < of->most[first / EIGHT]; start += 4) {                          \
      eight_##SUFFIX four[4];                                                                      \
      for (size_t j = 0; j < 4; ++j) {                                                             \
        four[j] = LOAD(eight_##SUFFIX, from->scores + (start + j) * LANES + first);                \
        if (absolute) {                                                                            \
          ((uint8_t *)&of->negative[start + j])[first / EIGHT] = EIGHT_BITS(four[j] < 0);          \
          eight_##SUFFIX magnitudes = __builtin_elementwise_abs(four[j]);                          \
          four[j] = four[j] < -(NUMBER)LARGEST ? four[j] : magnitudes;                             \
        }                                                                                          \
        eight_f64 scores = __builtin_convertvector(four[j], eight_f64);                            \
        STORE(of->scores + (start + j) * LANES + first, scores);                                   \
      }                                                                                            \
      take_four_##SUFFIX(top, m, four);                                                            \
    }                                                                                              \
    for (size_t j = 0; j < m; ++j) {                                                               \
      STORE(tops + j * LANES + first, __builtin_convertvector(top[m - 1 - j], eight_f64));         \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  /* m is more than the largest k. */                                                              \
  INLINE void candidates_##SUFFIX(const NUMBER *x, size_t rows, const size_t n,                    \
                                  const size_t parts, const size_t m, const bool absolute,         \
                                  CKernels_ShortRows *of) {                                        \
    NUMBER maxima[LANES * PARTS_MAX * EIGHT];                                                      \
    double tops[CKernels_row_tops_max * LANES];                                                    \
    for (size_t r = 0; r < rows; ++r) {                                                            \
      NUMBER *own = maxima + r * parts * EIGHT;                                                    \
      bring(of->ahead[0], r, of->ahead_bytes);                                                     \
      /* By the row's own k: what is found of it does not depend on its neighbours. */             \
      if (of->ks[r] > FEW_K || parts == 1) {                                                       \
        maxima_##SUFFIX(x + r * n, n, parts, absolute, own);                                       \
        continue;                                                                                  \
      }                                                                                            \
      maxima_##SUFFIX(x + r * n, n, 1, absolute, own);                                             \
      for (size_t i = EIGHT; i < parts * EIGHT; ++i) own[i] = -INFINITY;                           \
    }                                                                                              \
    for (size_t first = 0; first < rows; first += EIGHT) {                                         \
      const size_t count = rows - first < EIGHT ? rows - first : EIGHT;                            \
      eight_tops_##SUFFIX(maxima + first * parts * EIGHT, count, parts * EIGHT, m, false,          \
                          tops + first);                                                           \
    }                                                                                              \
    Found_##SUFFIX found = {.columns = of->columns};                                               \
    const line_##SUFFIX none = (line_##SUFFIX)(NUMBER)(-INFINITY);                                 \
    for (size_t j = 0; j < ROOM; ++j) STORE(found.scores + j * LANES, none);                       \
    of->most[0] = of->most[1] = 0;                                                                 \
    size_t overfull = 0;                                                                           \
    for (size_t r = 0; r < LANES; ++r) {                                                           \
      const size_t k = r < rows ? (size_t)of->ks[r] : 0;                                           \
      of->counts[r] = 0;                                                                           \
      bring(of->ahead[1], r, of->ahead_bytes);                                                     \
      if (k == 0) continue;                                                                        \
      double bound = bound_of(tops[(k - 1) * LANES + r], of->lambdas[r], of->e, absolute, SLACK);  \
      bound = bound > -LARGEST ? bound : -LARGEST;                                                 \
      const size_t count =                                                                         \
          collect_row_##SUFFIX(x + r * n, n, (NUMBER)bound, absolute, r, &found);                  \
      of->counts[r] = (int32_t)count;                                                              \
      size_t *most = &of->most[r / EIGHT];                                                         \
      *most = count <= CKernels_candidates_max && count > *most ? count : *most;                   \
      overfull += count > CKernels_candidates_max;                                                 \
    }                                                                                              \
    for (size_t first = 0; first < LANES; first += EIGHT) {                                        \
      eight_best_##SUFFIX(&found, first, m, absolute, of, tops);                                   \
    }                                                                                              \
    /* Ranks of rows of which not all candidates are here need all of their numbers. */            \
    for (size_t first = 0; overfull > 0 && first < rows; first += EIGHT) {                         \
      const size_t count = rows - first < EIGHT ? rows - first : EIGHT;                            \
      eight_tops_##SUFFIX(x + first * n, count, n, m, absolute, tops + first);                     \
    }                                                                                              \
    for (size_t r = 0; r < LANES; ++r) {                                                           \
      const size_t k = of->ks[r] > 0 ? (size_t)of->ks[r] : 1;                                      \
      of->kths[r] = tops[(k - 1) * LANES + r];                                                     \
      of->nexts[r] = tops[k * LANES + r];                                                          \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_candidates_##SUFFIX,                                                       \
         (const NUMBER *x, size_t rows, CKernels_ShortRows *of), (x, rows, of)) {                  \
    int32_t k = 0;                                                                                 \
    for (size_t r = 0; r < rows; ++r) k = of->ks[r] > k ? of->ks[r] : k;                           \
    if (k > FEW_K) {                                                                               \
      if (of->is_magnitude) candidates_##SUFFIX(x, rows, of->n, PARTS_MAX, RANKS_MAX, true, of);   \
      else candidates_##SUFFIX(x, rows, of->n, PARTS_MAX, RANKS_MAX, false, of);                   \
    } else if (of->n == WORD) {                                                                    \
      /* A router's rows. */                                                                       \
      if (of->is_magnitude) candidates_##SUFFIX(x, rows, WORD, 1, 5, true, of);                    \
      else candidates_##SUFFIX(x, rows, WORD, 1, 5, false, of);                                    \
    } else {                                                                                       \
      if (of->is_magnitude) candidates_##SUFFIX(x, rows, of->n, 1, 5, true, of);                   \
      else candidates_##SUFFIX(x, rows, of->n, 1, 5, false, of);                                   \
    }                                                                                              \
  }

typedef bool word_mask __attribute__((ext_vector_type(WORD)));
#define WORD_BITS(COMPARISON) BITS_OF(uint64_t, word_mask, COMPARISON)

DEFINE_CANDIDATES(f32, float, uint32_t, (double)FLT_MAX, 0x1p-22, wide_f32)
DEFINE_CANDIDATES(f64, double, uint64_t, DBL_MAX, 0x1p-50, wide_f64)
