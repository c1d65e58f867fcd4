// The passes over a whole row.
#include "isa.h"

enum { WORD = 64 };
#define ALL_OF_WORD UINT64_MAX
// So many words are noted before their bits are taken, all in one loop.
enum { WORDS_MAX = 64 };
// Where words have more bits than this, a loop for each word guesses well enough.
enum { FEW_PER_WORD = 8 };

// Bits of some 64 numbers each that reach a bound; words without any are not kept.
typedef struct Words {
  uint64_t bits[WORDS_MAX + 1];
  int32_t starts[WORDS_MAX + 1];
} Words;

// How many words, and bits in them: beside the words, or compilers would not keep it in registers.
typedef struct Sizes {
  size_t words, bits;
} Sizes;

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
  /* Which of up to 64 numbers reach the bound. */                                                 \
  INLINE uint64_t word_##SUFFIX(const NUMBER *x, size_t width, NUMBER bound, bool absolute) {      \
    uint64_t bits = 0;                                                                             \
    if (width >= WORD) {                                                                           \
      for (int l = 0; l < WORD; l += LANES) {                                                      \
        bits |= hits_##SUFFIX(x + l, bound, absolute) << l;                                        \
      }                                                                                            \
      return bits;                                                                                 \
    }                                                                                              \
    size_t i = 0;                                                                                  \
    for (; i + LANES <= width; i += LANES) bits |= hits_##SUFFIX(x + i, bound, absolute) << i;     \
    for (; i < width; ++i) {                                                                       \
      NUMBER score = absolute ? ABS(x[i]) : x[i];                                                  \
      bits |= (uint64_t)(score >= bound && (!absolute || score < INFINITY)) << i;                  \
    }                                                                                              \
    return bits;                                                                                   \
  }                                                                                                \
                                                                                                   \
  /* Empties the words: the scores and columns of all that they say, and how many. */              \
  INLINE size_t take_##SUFFIX(const NUMBER *x, Words *from, Sizes *sizes, bool absolute,           \
                              double *scores, int32_t *columns) {                                  \
    size_t count = 0;                                                                              \
    const size_t total = sizes->bits, words = sizes->words;                                        \
    *sizes = (Sizes){0};                                                                           \
    if (total > FEW_PER_WORD * words) {                                                            \
      for (size_t w = 0; w < words; ++w) {                                                         \
        const NUMBER *at = x + from->starts[w];                                                    \
        uint64_t bits = from->bits[w];                                                             \
        if (bits == ALL_OF_WORD) {                                                                 \
          /* Dense rows: no bit is looked for. */                                                  \
          for (int32_t l = 0; l < WORD; ++l) {                                                     \
            scores[count + l] = absolute ? ABS(at[l]) : at[l];                                     \
            columns[count + l] = from->starts[w] + l;                                              \
          }                                                                                        \
          count += WORD;                                                                           \
          continue;                                                                                \
        }                                                                                          \
        for (; bits != 0; bits &= bits - 1) {                                                      \
          const int l = __builtin_ctzll(bits);                                                     \
          scores[count] = absolute ? ABS(at[l]) : at[l];                                           \
          columns[count++] = from->starts[w] + l;                                                  \
        }                                                                                          \
      }                                                                                            \
      return total;                                                                                \
    }                                                                                              \
    /* Bit by bit through all words, without a branch: where one ends is hard to guess. */         \
    from->bits[words] = 0;                                                                         \
    uint64_t bits = from->bits[0];                                                                 \
    for (size_t w = 0; count < total; ++count) {                                                   \
      const uint64_t next = from->bits[w + 1];                                                     \
      const int32_t column = from->starts[w] + __builtin_ctzll(bits);                              \
      scores[count] = absolute ? ABS(x[column]) : x[column];                                       \
      columns[count] = column;                                                                     \
      bits &= bits - 1;                                                                            \
      const uint64_t is_last = bits == 0;                                                          \
      bits |= next & (0 - is_last);                                                                \
      w += is_last;                                                                                \
    }                                                                                              \
    return total;                                                                                  \
  }                                                                                                \
                                                                                                   \
  /* Notes what reaches the bound in x[start..<end]; returns how many it had to take meanwhile. */ \
  INLINE size_t note_##SUFFIX(const NUMBER *x, size_t start, size_t end, NUMBER bound,             \
                              bool absolute, Words *to, Sizes *sizes, double *scores,              \
                              int32_t *columns) {                                                  \
    size_t count = 0;                                                                              \
    for (size_t i = start; i < end; i += WORD) {                                                   \
      if (sizes->words == WORDS_MAX) {                                                             \
        count += take_##SUFFIX(x, to, sizes, absolute, scores + count, columns + count);           \
      }                                                                                            \
      const uint64_t bits = word_##SUFFIX(x + i, end - i, bound, absolute);                        \
      to->bits[sizes->words] = bits;                                                               \
      to->starts[sizes->words] = (int32_t)i;                                                       \
      sizes->words += bits != 0;                                                                   \
      sizes->bits += (size_t)__builtin_popcountll(bits);                                           \
    }                                                                                              \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  INLINE size_t collect_##SUFFIX(const NUMBER *x, size_t n, NUMBER bound, bool absolute,           \
                                 double *scores, int32_t *columns) {                               \
    Words words;                                                                                   \
    Sizes sizes = {0};                                                                             \
    size_t count = note_##SUFFIX(x, 0, n, bound, absolute, &words, &sizes, scores, columns);       \
    return count + take_##SUFFIX(x, &words, &sizes, absolute, scores + count, columns + count);    \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_collect_##SUFFIX,                                                        \
         (const NUMBER *x, size_t n, NUMBER bound, bool absolute, double *scores,                  \
          int32_t *columns), (x, n, bound, absolute, scores, columns)) {                           \
    return absolute ? collect_##SUFFIX(x, n, bound, true, scores, columns)                         \
                    : collect_##SUFFIX(x, n, bound, false, scores, columns);                       \
  }                                                                                                \
                                                                                                   \
  INLINE size_t gather_##SUFFIX(const NUMBER *x, size_t n, size_t height, const NUMBER *maxima,    \
                                NUMBER bound, bool absolute, double *scores, int32_t *columns) {   \
    Words words;                                                                                   \
    Sizes sizes = {0};                                                                             \
    size_t count = 0;                                                                              \
    size_t step = height * LANES;                                                                  \
    for (size_t start = 0; start < n; start += step, maxima += LANES) {                            \
      bool hit = false;                                                                            \
      for (int l = 0; l < LANES; ++l) hit |= maxima[l] >= bound;                                   \
      if (!hit) continue;                                                                          \
      size_t end = start + step < n ? start + step : n;                                            \
      count += note_##SUFFIX(x, start, end, bound, absolute, &words, &sizes, scores + count,       \
                             columns + count);                                                     \
    }                                                                                              \
    return count + take_##SUFFIX(x, &words, &sizes, absolute, scores + count, columns + count);    \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_gather_##SUFFIX,                                                         \
         (const NUMBER *x, size_t n, size_t height, const NUMBER *maxima, NUMBER bound,            \
          bool absolute, double *scores, int32_t *columns),                                        \
         (x, n, height, maxima, bound, absolute, scores, columns)) {                               \
    return absolute                                                                                \
               ? gather_##SUFFIX(x, n, height, maxima, bound, true, scores, columns)               \
               : gather_##SUFFIX(x, n, height, maxima, bound, false, scores, columns);             \
  }                                                                                                \
                                                                                                   \
  KERNEL(bool, CKernels_all_finite_##SUFFIX, (const NUMBER *x, size_t n), (x, n)) {                \
    /* Bits without the sign, ordered as the numbers: an infinity or a NaN is none of the rest. */ \
    enum { AT_ONCE = 4 };                                                                          \
    const SIGNED mask = (SIGNED)(((uint##BITS##_t)-1) >> 1);                                       \
    const NUMBER infinity = INFINITY;                                                              \
    const SIGNED limit = LOAD(SIGNED, &infinity);                                                  \
    line_i##BITS most[AT_ONCE] = {0};                                                              \
    size_t i = 0;                                                                                  \
    for (; i + AT_ONCE * LANES <= n; i += AT_ONCE * LANES) {                                       \
      for (size_t j = 0; j < AT_ONCE; ++j) {                                                       \
        line_i##BITS line = LOAD(line_i##BITS, x + i + j * LANES) & mask;                          \
        most[j] = __builtin_elementwise_max(most[j], line);                                        \
      }                                                                                            \
    }                                                                                              \
    for (size_t j = 1; j < AT_ONCE; ++j) most[0] = __builtin_elementwise_max(most[0], most[j]);    \
    for (; i + LANES <= n; i += LANES) {                                                           \
      most[0] = __builtin_elementwise_max(most[0], LOAD(line_i##BITS, x + i) & mask);              \
    }                                                                                              \
    bool is_finite = MASK_BITS(most[0] >= limit) == 0;                                             \
    for (; i < n; ++i) is_finite &= (LOAD(SIGNED, x + i) & mask) < limit;                          \
    return is_finite;                                                                              \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_load_##SUFFIX,                                                             \
         (const NUMBER *x, size_t n, bool negated, NUMBER *out), (x, n, negated, out)) {           \
    for (size_t i = 0; i < n; ++i) out[i] = negated && x[i] != -INFINITY ? -x[i] : x[i];           \
  }

DEFINE_KERNELS(f32, float, fabsf, int32_t, 32)
DEFINE_KERNELS(f64, double, fabs, int64_t, 64)
