// The passes over a whole row.
#include "isa.h"

#define ALL_FOUR UINT64_MAX

// Loops over LANES have a constant count, so that compilers turn each into a few vector
// instructions.
#define DEFINE_KERNELS(SUFFIX, NUMBER, ABS, SIGNED, BITS)                                          \
  KERNEL(size_t, CKernels_group_maxima_##SUFFIX,                                                   \
         (const NUMBER *x, size_t n, size_t height, bool absolute, NUMBER *maxima),                \
         (x, n, height, absolute, maxima)) {                                                       \
    size_t lines = n / LANES;                                                                      \
    size_t block = 0;                                                                              \
    for (size_t line = 0; line < lines; line += height, ++block) {                                 \
      size_t end = line + height < lines ? line + height : lines;                                  \
      NUMBER best[LANES];                                                                          \
      for (int l = 0; l < LANES; ++l) {                                                            \
        NUMBER score = x[line * LANES + l];                                                        \
        best[l] = absolute ? ABS(score) : score;                                                   \
      }                                                                                            \
      for (size_t at = line + 1; at < end; ++at) {                                                 \
        for (int l = 0; l < LANES; ++l) {                                                          \
          NUMBER score = absolute ? ABS(x[at * LANES + l]) : x[at * LANES + l];                    \
          best[l] = score > best[l] ? score : best[l];                                             \
        }                                                                                          \
      }                                                                                            \
      for (int l = 0; l < LANES; ++l) maxima[block * LANES + l] = best[l];                         \
    }                                                                                              \
    if (n % LANES != 0) {                                                                          \
      /* What is left of the last line belongs to the last block, or is a block of its own. */     \
      if (lines % height == 0) {                                                                   \
        for (int l = 0; l < LANES; ++l) maxima[block * LANES + l] = -INFINITY;                     \
        ++block;                                                                                   \
      }                                                                                            \
      NUMBER *best = maxima + (block - 1) * LANES;                                                 \
      for (size_t i = lines * LANES; i < n; ++i) {                                                 \
        NUMBER score = absolute ? ABS(x[i]) : x[i];                                                \
        NUMBER *lane = best + i % LANES;                                                           \
        *lane = score > *lane ? score : *lane;                                                     \
      }                                                                                            \
    }                                                                                              \
    return block * LANES;                                                                          \
  }                                                                                                \
                                                                                                   \
  KERNEL(NUMBER, CKernels_lower_bound_##SUFFIX,                                                    \
         (const NUMBER *values, size_t n, size_t k), (values, n, k)) {                             \
    /* All groups are whole lines. */                                                              \
    NUMBER below[LANES];                                                                           \
    NUMBER above[LANES];                                                                           \
    for (int l = 0; l < LANES; ++l) below[l] = above[l] = values[l];                               \
    for (size_t i = LANES; i < n; i += LANES) {                                                    \
      for (int l = 0; l < LANES; ++l) {                                                            \
        below[l] = values[i + l] < below[l] ? values[i + l] : below[l];                            \
        above[l] = values[i + l] > above[l] ? values[i + l] : above[l];                            \
      }                                                                                            \
    }                                                                                              \
    NUMBER least = below[0];                                                                       \
    NUMBER most = above[0];                                                                        \
    for (int l = 1; l < LANES; ++l) {                                                              \
      least = below[l] < least ? below[l] : least;                                                 \
      most = above[l] > most ? above[l] : most;                                                    \
    }                                                                                              \
    /* Bisection of the bits: 32 (64) passes at most, five or so until few enough are above. */    \
    SIGNED low = ordered_##SUFFIX(least);                                                          \
    SIGNED high = ordered_##SUFFIX(most) + 1;                                                      \
    while (low + 1 < high) {                                                                       \
      SIGNED middle = (low & high) + ((low ^ high) >> 1);                                          \
      size_t count = count_##SUFFIX(values, n, unordered_##SUFFIX(middle));                        \
      if (count < k) {                                                                             \
        high = middle;                                                                             \
      } else {                                                                                     \
        low = middle;                                                                              \
        if (count <= k + k / 8 + 4) break;                                                         \
      }                                                                                            \
    }                                                                                              \
    return unordered_##SUFFIX(low);                                                                \
  }                                                                                                \
                                                                                                   \
  INLINE uint64_t hits_##SUFFIX(const NUMBER *x, NUMBER bound, bool absolute) {                    \
    line_##SUFFIX line;                                                                            \
    memcpy(&line, x, sizeof line);                                                                 \
    if (absolute) line = __builtin_elementwise_abs(line);                                          \
    /* -inf is never selected, and its magnitude is above every bound. */                          \
    if (absolute) return MASK_BITS((line >= bound) & (line < INFINITY));                           \
    return MASK_BITS(line >= bound);                                                               \
  }                                                                                                \
                                                                                                   \
  INLINE size_t collect_##SUFFIX(const NUMBER *x, size_t start, size_t end, NUMBER bound,          \
                                        bool absolute, double *scores, int32_t *columns) {         \
    size_t count = 0;                                                                              \
    size_t i = start;                                                                              \
    /* Four lines at a time: one branch that may be mispredicted instead of four. */               \
    while (i + LANES <= end) {                                                                     \
      uint64_t hits = 0;                                                                           \
      size_t lines = (end - i) / LANES;                                                            \
      if (lines >= 4) {                                                                            \
        lines = 4;                                                                                 \
        for (int l = 0; l < 4; ++l) {                                                              \
          hits |= hits_##SUFFIX(x + i + l * LANES, bound, absolute) << (l * LANES);                \
        }                                                                                          \
      } else {                                                                                     \
        lines = 1;                                                                                 \
        hits = hits_##SUFFIX(x + i, bound, absolute);                                              \
      }                                                                                            \
      if (hits == ALL_FOUR) {                                                                      \
        /* Dense rows: no bit is looked for. */                                                    \
        for (size_t l = 0; l < 4 * LANES; ++l) {                                                   \
          scores[count + l] = absolute ? ABS(x[i + l]) : x[i + l];                                 \
          columns[count + l] = (int32_t)(i + l);                                                   \
        }                                                                                          \
        count += 4 * LANES;                                                                        \
        hits = 0;                                                                                  \
      }                                                                                            \
      for (; hits != 0; hits &= hits - 1) {                                                        \
        size_t column = i + (size_t)__builtin_ctzll(hits);                                         \
        scores[count] = absolute ? ABS(x[column]) : x[column];                                     \
        columns[count++] = (int32_t)column;                                                        \
      }                                                                                            \
      i += lines * LANES;                                                                          \
    }                                                                                              \
    for (; i < end; ++i) {                                                                         \
      NUMBER score = absolute ? ABS(x[i]) : x[i];                                                  \
      scores[count] = score;                                                                       \
      columns[count] = (int32_t)i;                                                                 \
      count += score >= bound && (!absolute || score < INFINITY);                                  \
    }                                                                                              \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_collect_##SUFFIX,                                                        \
         (const NUMBER *x, size_t n, NUMBER bound, bool absolute, double *scores,                  \
          int32_t *columns), (x, n, bound, absolute, scores, columns)) {                           \
    return collect_##SUFFIX(x, 0, n, bound, absolute, scores, columns);                            \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_gather_##SUFFIX,                                                         \
         (const NUMBER *x, size_t n, size_t height, const NUMBER *maxima, NUMBER bound,            \
          bool absolute, double *scores, int32_t *columns),                                        \
         (x, n, height, maxima, bound, absolute, scores, columns)) {                               \
    size_t count = 0;                                                                              \
    size_t step = height * LANES;                                                                  \
    for (size_t start = 0; start < n; start += step, maxima += LANES) {                            \
      bool hit = false;                                                                            \
      for (int l = 0; l < LANES; ++l) hit |= maxima[l] >= bound;                                   \
      if (!hit) continue;                                                                          \
      size_t end = start + step < n ? start + step : n;                                            \
      count += collect_##SUFFIX(x, start, end, bound, absolute, scores + count, columns + count);  \
    }                                                                                              \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  KERNEL(bool, CKernels_all_finite_##SUFFIX, (const NUMBER *x, size_t n), (x, n)) {                \
    /* All exponent bits set: an infinity or a NaN. */                                             \
    uint##BITS##_t mask, found = 0;                                                                \
    NUMBER infinity = INFINITY;                                                                    \
    memcpy(&mask, &infinity, sizeof mask);                                                         \
    for (size_t i = 0; i < n; ++i) {                                                               \
      uint##BITS##_t bits;                                                                         \
      memcpy(&bits, x + i, sizeof bits);                                                           \
      found |= (bits & mask) == mask;                                                              \
    }                                                                                              \
    return found == 0;                                                                             \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_load_##SUFFIX,                                                             \
         (const NUMBER *x, size_t n, bool negated, NUMBER *out), (x, n, negated, out)) {           \
    for (size_t i = 0; i < n; ++i) out[i] = negated && x[i] != -INFINITY ? -x[i] : x[i];           \
  }

DEFINE_KERNELS(f32, float, fabsf, int32_t, 32)
DEFINE_KERNELS(f64, double, fabs, int64_t, 64)
