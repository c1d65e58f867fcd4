// The threshold equation on lines of entries: its sums, and what is read off at its root.
#include "power.h"

KERNEL(void, CKernels_offsets,
       (const double *scores, size_t n, double scale, double anchor, double lambda, double *z),
       (scores, n, scale, anchor, lambda, z)) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    STORE(z + i, (LOAD(line_f64, scores + i) * scale - anchor) / lambda);
  }
  if (i == n) return;
  for (int l = 0; l < LANES; ++l) {
    z[i + l] = i + l < n ? (scores[i + l] * scale - anchor) / lambda : -INFINITY;
  }
}

INLINE line_f64 clamped(line_f64 number) {
  number = number < DBL_MAX ? number : DBL_MAX;
  return number > -DBL_MAX ? number : -DBL_MAX;
}

// What becomes of one line of entries.
typedef struct Line {
  uint16_t selected;
  uint16_t capped;
  double weights[LANES], slopes[LANES], levels[LANES];
} Line;

INLINE size_t append(const Line *line, const double *scores, const int32_t *columns,
                     bool is_derived, size_t count, CKernels_Entries to) {
  if (line->selected == ALL_LANES) {
    memcpy(to.columns + count, columns, sizeof(line_i32));
    memcpy(to.scores + count, scores, sizeof(line_f64));
    memcpy(to.weights + count, line->weights, sizeof(line_f64));
    if (is_derived) {
      memcpy(to.slopes + count, line->slopes, sizeof(line_f64));
      memcpy(to.levels + count, line->levels, sizeof(line_f64));
    }
    return count + LANES;
  }
  for (uint32_t left = line->selected; left != 0; left &= left - 1) {
    int l = __builtin_ctz(left);
    to.columns[count] = columns[l];
    to.scores[count] = scores[l];
    to.weights[count] = line->weights[l];
    if (is_derived) {
      to.slopes[count] = line->slopes[l];
      to.levels[count] = line->levels[l];
    }
    ++count;
  }
  return count;
}

// Partial sums in lanes: one long sum of like signs would lose the digits that the last passes of
// a solver need.
#define DEFINE_RULE(NAME)                                                                          \
  KERNEL(CKernels_Sums, CKernels_sums_##NAME,                                                      \
         (const double *z, size_t n, double t, double cap, double e), (z, n, t, cap, e)) {         \
    line_f64 sums = 0, slopes = 0, capped = 0;                                                     \
    double limit = cap < INFINITY ? cap : NAN;                                                     \
    for (size_t i = 0; i < n; i += LANES) {                                                        \
      line_f64 u = LOAD(line_f64, z + i) + t;                                                      \
      u = u > 0 ? u : 0;                                                                           \
      Powers at = powers_##NAME(u, e);                                                             \
      line_i64 is_capped = at.power >= limit;                                                      \
      sums += is_capped ? 0 : at.power;                                                            \
      slopes += (is_capped | (u <= 0)) ? 0 : at.slope;                                             \
      capped += is_capped ? (line_f64)1 : 0;                                                       \
    }                                                                                              \
    CKernels_Sums result = {sum_of(sums), sum_of(slopes), sum_of(capped)};                         \
    return result;                                                                                 \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_emit_##NAME,                                                             \
         (const CKernels_Threshold *at, CKernels_Entries to, size_t *capped_count),                \
         (at, to, capped_count)) {                                                                 \
    CKernels_Threshold from = *at;                                                                 \
    size_t count = 0, capped = 0;                                                                  \
    /* A power of two: as exact as the division. */                                                \
    const double unscale = 1 / from.scale;                                                         \
    for (size_t i = 0; i < from.count; i += LANES) {                                               \
      line_f64 u = LOAD(line_f64, from.offsets + i) + from.t;                                      \
      Line line;                                                                                   \
      line.selected = MASK_BITS(u > 0);                                                            \
      if (line.selected == 0) continue;                                                            \
      line_f64 scores = LOAD(line_f64, from.scores + i);                                           \
      Powers at_u = powers_##NAME(u > 0 ? u : 0, from.e);                                          \
      line_i64 is_capped = (at_u.power >= from.cap) & (u > 0);                                     \
      line.capped = MASK_BITS(is_capped);                                                          \
      capped += (size_t)__builtin_popcount(line.capped);                                           \
      line_f64 weights = at_u.power, full = 1;                                                     \
      if (from.is_magnitude) {                                                                     \
        weights = (from.lambda * u + at_u.power) * unscale;                                        \
        full = scores;                                                                             \
      }                                                                                            \
      STORE(line.weights, is_capped ? full : weights);                                             \
      if (from.is_derived) {                                                                       \
        STORE(line.slopes, is_capped ? 0 : clamped(at_u.slope / from.lambda));                     \
        STORE(line.levels, is_capped ? 0 : clamped(u * from.level_scale));                         \
      }                                                                                            \
      count = append(&line, from.scores + i, from.columns + i, from.is_derived, count, to);        \
    }                                                                                              \
    *capped_count = capped;                                                                        \
    return count;                                                                                  \
  }

DEFINE_RULE(linear)
DEFINE_RULE(cubic)
DEFINE_RULE(root)
DEFINE_RULE(general)
