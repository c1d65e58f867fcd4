// Sorting a row for the solvers that need all of its order.
#include "isa.h"

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, PASSES_MAX = 64 / DIGIT_BITS };

// Radix sort from the lowest digit: stable, so that equal scores keep ascending columns. Only bits
// in which keys differ are looked at: 35 of them in doubles that were floats.
void CKernels_sort(double *scores, int32_t *columns, size_t n, CKernels_SortEntry *entries) {
  CKernels_SortEntry *from = entries, *to = entries + n;
  uint64_t any = 0, all = UINT64_MAX;
  for (size_t i = 0; i < n; ++i) {
    // + 0: zeros of both signs are equal. Complemented: descending.
    uint64_t key = ~((uint64_t)ordered_f64(scores[i] + 0) ^ (UINT64_C(1) << 63));
    from[i].key = key;
    from[i].column = columns[i];
    any |= key;
    all &= key;
  }
  if (any == all) return;
  int lowest = __builtin_ctzll(any ^ all);
  int passes = (64 - lowest + DIGIT_BITS - 1) / DIGIT_BITS;
  size_t starts[PASSES_MAX][DIGITS];
  memset(starts, 0, (size_t)passes * sizeof starts[0]);
  for (size_t i = 0; i < n; ++i) {
    uint64_t key = from[i].key >> lowest;
    for (int pass = 0; pass < passes; ++pass) {
      ++starts[pass][key >> (pass * DIGIT_BITS) & (DIGITS - 1)];
    }
  }
  for (int pass = 0; pass < passes; ++pass) {
    int shift = lowest + pass * DIGIT_BITS;
    size_t *start = starts[pass];
    if (start[from[0].key >> shift & (DIGITS - 1)] == n) continue;
    size_t sum = 0;
    for (int digit = 0; digit < DIGITS; ++digit) {
      size_t count = start[digit];
      start[digit] = sum;
      sum += count;
    }
    for (size_t i = 0; i < n; ++i) to[start[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
    CKernels_SortEntry *swap = from;
    from = to;
    to = swap;
  }
  for (size_t i = 0; i < n; ++i) {
    scores[i] = unordered_f64((int64_t)(~from[i].key ^ (UINT64_C(1) << 63)));
    columns[i] = from[i].column;
  }
}
