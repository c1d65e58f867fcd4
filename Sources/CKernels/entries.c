// What is selected in a few short rows whose threshold is known.
#include "eights.h"

// Each row's entries one after the other, four at a time, whether there are so many or not.
INLINE size_t append(const CKernels_ShortRows *of, const Computed *from, size_t first, size_t last,
                     const bool is_derived, CKernels_Entries to, int32_t *restrict positions,
                     CKernels_Segment *segments) {
  size_t count = 0;
  for (size_t r = first; r < last; ++r) {
    const int32_t start = (int32_t)((r - first) * of->n);
    segments[r - first].start = count;
    for (size_t i = 0; i < (size_t)of->counts[r]; i += 4) {
      for (size_t j = i; j < i + 4; ++j) {
        const size_t at = j * LANES + r;
        to.columns[count] = of->columns[at];
        positions[count] = start + of->columns[at];
        to.scores[count] = of->scores[at];
        to.weights[count] = from->weights[at];
        if (is_derived) {
          to.slopes[count] = from->slopes[at];
          to.levels[count] = from->levels[at];
        }
        count += from->active[j] >> r & 1;
      }
    }
    segments[r - first].end = count;
    segments[r - first].weight = is_derived ? from->shared[r] : 1;
  }
  return count;
}

INLINE size_t row_entries(const CKernels_ShortRows *of, size_t first, size_t last,
                          const bool is_magnitude, const bool is_cubic, const bool is_derived,
                          bool skips_hard, CKernels_Entries to, int32_t *positions,
                          CKernels_Segment *segments) {
  Computed computed;
  memset(computed.active, 0, sizeof computed.active);
  for (size_t eight = 0; eight < LANES; eight += EIGHT) {
    compute_eight(of, eight, is_magnitude, is_cubic, is_derived, skips_hard, &computed);
  }
  return append(of, &computed, first, last, is_derived, to, positions, segments);
}

INLINE size_t entries_of(const CKernels_ShortRows *of, size_t first, size_t last,
                         const bool is_magnitude, const bool is_cubic, bool is_derived,
                         bool skips_hard, CKernels_Entries to, int32_t *positions,
                         CKernels_Segment *segments) {
  return is_derived ? row_entries(of, first, last, is_magnitude, is_cubic, true, skips_hard, to,
                                  positions, segments)
                    : row_entries(of, first, last, is_magnitude, is_cubic, false, skips_hard, to,
                                  positions, segments);
}

KERNEL(size_t, CKernels_row_entries,
       (const CKernels_ShortRows *of, size_t first, size_t last, bool is_derived, bool skips_hard,
        CKernels_Entries to, int32_t *positions, CKernels_Segment *segments),
       (of, first, last, is_derived, skips_hard, to, positions, segments)) {
  const bool is_cubic = of->e == 3;
  if (of->is_magnitude) {
    return is_cubic ? entries_of(of, first, last, true, true, is_derived, skips_hard, to, positions,
                                 segments)
                    : entries_of(of, first, last, true, false, is_derived, skips_hard, to,
                                 positions, segments);
  }
  return is_cubic ? entries_of(of, first, last, false, true, is_derived, skips_hard, to, positions,
                               segments)
                  : entries_of(of, first, last, false, false, is_derived, skips_hard, to, positions,
                               segments);
}
