// Exact ranks of a few numbers.
#include "isa.h"

INLINE double smallest_at_least(const double *values, size_t n, double bound) {
  line_f64 best = INFINITY;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const line_f64 line = LOAD(line_f64, values + i);
    const line_f64 those = line >= bound ? line : INFINITY;
    best = those < best ? those : best;
  }
  double result = least_of(best);
  for (; i < n; ++i) result = values[i] >= bound && values[i] < result ? values[i] : result;
  return result;
}

INLINE double largest_below(const double *values, size_t n, double bound) {
  line_f64 best = -INFINITY;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const line_f64 line = LOAD(line_f64, values + i);
    const line_f64 those = line < bound ? line : -INFINITY;
    best = those > best ? those : best;
  }
  double result = greatest_of(best);
  for (; i < n; ++i) result = values[i] < bound && values[i] > result ? values[i] : result;
  return result;
}

KERNEL(double, CKernels_largest, (const double *values, size_t n), (values, n)) {
  return largest_below(values, n, INFINITY);
}

/* Each number's rank is how many are greater: no branch, no pass waits for the one before. */
enum { FEW_LINES = 2, FEW = FEW_LINES * LANES };

// So many passes are enough where no two numbers are equal.
enum { TIES_PASS = 16 };

INLINE void ranks_of_few(const double *values, size_t n, size_t k, double *kth, double *next) {
  double padded[FEW];
  for (size_t i = 0; i < FEW; ++i) padded[i] = i < n ? values[i] : INFINITY;
  line_f64 result = INFINITY, after = INFINITY;
  for (size_t start = 0; start < n; start += LANES) {
    line_f64 line = LOAD(line_f64, padded + start);
    line_i64 greater = 0;
    for (size_t i = 0; i < n; ++i) greater -= values[i] > line;
    /* The least of those that fewer than k (than k + 1) exceed; what pads is never the least. */
    line_f64 reaching = greater < (int64_t)k ? line : INFINITY;
    line_f64 behind = greater <= (int64_t)k ? line : INFINITY;
    result = reaching < result ? reaching : result;
    after = behind < after ? behind : after;
  }
  *kth = least_of(result);
  *next = least_of(after);
  if (n == k) *next = -INFINITY;
}

// Those in [low, high[, `total` of them.
INLINE void keep_between(const double *values, size_t n, double low, double high, size_t total,
                         double *kept) {
  size_t count = 0;
  for (size_t i = 0; count < total && i < n; ++i) {
    kept[count] = values[i];
    count += values[i] >= low && values[i] < high;
  }
}

KERNEL(void, CKernels_ranks,
       (const double *values, size_t n, size_t k, double *kth, double *next),
       (values, n, k, kth, next)) {
  if (n <= FEW) {
    ranks_of_few(values, n, k, kth, next);
    return;
  }
  double least = smallest_at_least(values, n, -INFINITY);
  double most = largest_below(values, n, INFINITY);
  /* count(>= low) >= k > count(>= high) throughout. Halving the value is quick on smooth data,
     halving the bits is bounded on any: at most 24 + 64 passes. */
  int64_t low = ordered_f64(least);
  int64_t high = ordered_f64(most) + 1;
  size_t reaching = n, above = 0;
  for (int pass = 0; low + 1 < high; ++pass) {
    /* Equal ones keep k from being met: what is left is few, or most of it equal. */
    if (pass >= TIES_PASS && reaching - above <= FEW) break;
    if (pass == TIES_PASS) {
      low = ordered_f64(smallest_at_least(values, n, unordered_f64(low)));
      high = ordered_f64(largest_below(values, n, unordered_f64(high))) + 1;
      continue;
    }
    double center = unordered_f64(low) / 2 + unordered_f64(high) / 2;
    int64_t middle = ordered_f64(center);
    if (pass >= 24 || middle <= low || middle >= high) middle = (low & high) + ((low ^ high) >> 1);
    const double bound = unordered_f64(middle);
    size_t count = count_f64(values, n, bound);
    if (count == k) {
      *kth = smallest_at_least(values, n, bound);
      *next = largest_below(values, n, bound);
      return;
    }
    if (count > k) {
      low = middle;
      reaching = count;
    } else {
      high = middle;
      above = count;
    }
  }
  if (low + 1 < high) {
    double few[FEW];
    keep_between(values, n, unordered_f64(low), unordered_f64(high), reaching - above, few);
    ranks_of_few(few, reaching - above, k - above, kth, next);
  } else {
    /* low is a value that occurs, as often as it takes to be the k-th. */
    *kth = *next = unordered_f64(low);
  }
  if (n == k) *next = -INFINITY;
}
