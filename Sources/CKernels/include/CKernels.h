// The memory-bound passes over a row, compiled for several instruction sets and chosen at run time.
// Swift's generic SIMD compares lane by lane: there, these passes were 80 % of a batch's compute
// time.
//
// "absolute" ranks numbers by magnitude. Numbers are finite, or -inf where "absolute" is false.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What the kernels run on: AVX2 is x86-64-v3, AVX-512 x86-64-v4, baseline any processor.
typedef enum CKernels_ISA {
  CKernels_isa_baseline = 0,
  CKernels_isa_avx2 = 1,
  CKernels_isa_avx512 = 2,
} CKernels_ISA;

/// The best that this processor has, and the one that runs: the best, unless another is set, which
/// has to be none that the processor lacks, before threads run kernels. Answers are the same.
CKernels_ISA CKernels_isa_best(void);
CKernels_ISA CKernels_isa_current(void);
void CKernels_isa_set(CKernels_ISA isa);

/// Numbers of one line; a group is one lane of a block of `height` lines.
enum { CKernels_lanes = 16 };

/// maxima[16 b + l] = the largest score in lane l of block b, a block being `height` lines of x;
/// the last may have fewer, and lanes without a number are -inf. Returns how many maxima there are.
size_t CKernels_group_maxima_f32(const float *x, size_t n, size_t height, bool absolute,
                                 float *maxima);
size_t CKernels_group_maxima_f64(const double *x, size_t n, size_t height, bool absolute,
                                 double *maxima);

/// A lower bound of the k-th largest of n maxima (a multiple of 16, at least k): few more than k
/// are above it, whatever they are.
float CKernels_lower_bound_f32(const float *maxima, size_t n, size_t k);
double CKernels_lower_bound_f64(const double *maxima, size_t n, size_t k);

/// Copies the scores >= bound of n numbers and their columns, ascending; returns how many. Blocks
/// whose maxima are all below the bound are not read.
size_t CKernels_gather_f32(const float *x, size_t n, size_t height, const float *maxima,
                           float bound, bool absolute, double *scores, int32_t *columns);
size_t CKernels_gather_f64(const double *x, size_t n, size_t height, const double *maxima,
                           double bound, bool absolute, double *scores, int32_t *columns);

/// The same of all n numbers.
size_t CKernels_collect_f32(const float *x, size_t n, float bound, bool absolute, double *scores,
                            int32_t *columns);
size_t CKernels_collect_f64(const double *x, size_t n, double bound, bool absolute, double *scores,
                            int32_t *columns);

/// Drops the candidates whose score is below the bound; keeps the order. Returns how many are left.
size_t CKernels_keep(double *scores, int32_t *columns, size_t n, double bound);

/// Copies the values in [low, high] to `out` (room for n), counts those above; returns how many.
size_t CKernels_between(const double *values, size_t n, double low, double high, double *out,
                        size_t *above);

/// The largest |value|; 0 of none.
double CKernels_largest_magnitude(const double *values, size_t n);

/// signs[i] = the sign of x[columns[i]]: -1, 0 or 1.
void CKernels_signs_f32(const float *x, const int32_t *columns, size_t n, double *signs);
void CKernels_signs_f64(const double *x, const int32_t *columns, size_t n, double *signs);

/// Rounds n values to the type of an answer, clamped to its largest, and drops zeros unless they
/// are to be kept; returns how many were written. Without `columns` they are 0, 1, 2 ... Sets
/// `is_finite` to false for a NaN or infinity.
size_t CKernels_round_f32(const double *values, const int32_t *columns, size_t n, bool keeps_zeros,
                          float *data, int32_t *indices, bool *is_finite);
size_t CKernels_round_f64(const double *values, const int32_t *columns, size_t n, bool keeps_zeros,
                          double *data, int32_t *indices, bool *is_finite);

/// Whether all of n numbers are finite.
bool CKernels_all_finite_f32(const float *x, size_t n);
bool CKernels_all_finite_f64(const double *x, size_t n);

/// Whether the exponent bits of `mask` are never all set: 16-bit floats that are all finite.
bool CKernels_all_finite_16(const uint16_t *x, size_t n, uint16_t mask);

/// Copies n numbers into the type that is computed in; "negated" changes the sign of all but -inf,
/// which keeps its meaning: never select.
void CKernels_load_f32(const float *x, size_t n, bool negated, float *out);
void CKernels_load_f64(const double *x, size_t n, bool negated, double *out);
/// The same from IEEE half precision, and from bfloat16 (the upper half of a float).
void CKernels_load_f16(const uint16_t *x, size_t n, bool negated, float *out);
void CKernels_load_bf16(const uint16_t *x, size_t n, bool negated, float *out);

/// The k-th and the (k+1)-th largest of n finite numbers, n >= k >= 1; the latter is -inf where
/// n = k. For few numbers: counts them up to 88 times.
void CKernels_ranks(const double *values, size_t n, size_t k, double *kth, double *next);
/// The largest of n numbers, or -inf.
double CKernels_largest(const double *values, size_t n);

/// A score as an integer that is ordered downwards, and its column.
typedef struct CKernels_SortEntry {
  uint64_t key;
  int32_t column;
} CKernels_SortEntry;

/// Sorts n finite scores downwards and their ascending columns with them, equal scores by column.
/// `entries` has room for 2 n. O(n).
void CKernels_sort(double *scores, int32_t *columns, size_t n, CKernels_SortEntry *entries);

/// z[i] = (scores[i] * scale - anchor) / lambda, and -inf from n up to the next multiple of 16.
void CKernels_offsets(const double *scores, size_t n, double scale, double anchor, double lambda,
                      double *z);

/// Sums over u_i = z_i + t > 0: entries with u^e below `cap` (or all, where it is infinite) give
/// u^e to `sum` and e u^(e-1) to `slope`, all others count as `capped`. n is a multiple of 16, the
/// rest filled up with -inf.
typedef struct CKernels_Sums {
  double sum;
  double slope;
  double capped;
} CKernels_Sums;

/// e = 1, 3, 1/2, and any: e is given to all of them.
CKernels_Sums CKernels_sums_linear(const double *z, size_t n, double t, double cap, double e);
CKernels_Sums CKernels_sums_cubic(const double *z, size_t n, double t, double cap, double e);
CKernels_Sums CKernels_sums_root(const double *z, size_t n, double t, double cap, double e);
CKernels_Sums CKernels_sums_general(const double *z, size_t n, double t, double cap, double e);

/// Candidates of a row and the root of its equation: u_i = offsets[i] + t. All three arrays have
/// room for whole lines of 16, and offsets are -inf behind `count`.
typedef struct CKernels_Threshold {
  const double *scores;
  const int32_t *columns;
  const double *offsets;
  size_t count;
  double t;
  double cap;
  double e;
  double lambda;
  /// What scores were multiplied by for the offsets, and what brings u back.
  double scale;
  double level_scale;
  bool is_magnitude;
  /// Whether slopes and levels are written: gradients need them, answers do not.
  bool is_derived;
} CKernels_Threshold;

/// Where entries go: room for `count` of a threshold each, and 16 more.
typedef struct CKernels_Entries {
  int32_t *columns;
  double *scores;
  double *weights;
  double *slopes;
  double *levels;
} CKernels_Entries;

/// Appends each entry with u > 0: weight u^e (lambda u + u^e for magnitude), slope e u^(e-1) /
/// lambda and level u; at the cap, 1 (the score), 0 and 0. Returns how many, and how many are
/// capped.
size_t CKernels_emit_linear(const CKernels_Threshold *at, CKernels_Entries to, size_t *capped);
size_t CKernels_emit_cubic(const CKernels_Threshold *at, CKernels_Entries to, size_t *capped);
size_t CKernels_emit_root(const CKernels_Threshold *at, CKernels_Entries to, size_t *capped);
size_t CKernels_emit_general(const CKernels_Threshold *at, CKernels_Entries to, size_t *capped);

/// Entries start..<end of a solved row that share a threshold, and K, the weight that they share.
typedef struct CKernels_Segment {
  size_t start;
  size_t end;
  double weight;
} CKernels_Segment;

/// Jacobians of some segments: D and u of each entry, in arrays with room for whole lines of 16.
typedef struct CKernels_Jacobians {
  const double *slopes;
  const double *levels;
  const CKernels_Segment *segments;
  size_t count;
} CKernels_Jacobians;

/// mask: c := D (c - sum(D c) / sum(D)) in place, within each segment; `gradients` takes -sum(c u)
/// of each result. c has room for whole lines.
void CKernels_mask_product(const CKernels_Jacobians *of, double *c, double *gradients);

/// magnitude, on entries with D > 0: c := c + D (c - a) with a = sum((1 + D) c) / (sum(D) + K) if
/// it is transposed, else c := (1 + D) (c - sum(D c) / (sum(D) + K)). `gradients` takes
/// -sum(u D (c - a)) of the former.
void CKernels_magnitude_product(const CKernels_Jacobians *of, bool is_transposed, double *c,
                                double *gradients);

/// Copies the numbers that are not 0, and their columns; returns how many. Both arrays have room
/// for n. Sets `is_finite` to false for a NaN or infinity.
size_t CKernels_pack_f32(const float *values, size_t n, float *data, int32_t *indices,
                         bool *is_finite);
size_t CKernels_pack_f64(const double *values, size_t n, double *data, int32_t *indices,
                         bool *is_finite);

#include "CKernels_gaussian.h"
#include "CKernels_halves.h"
#include "CKernels_rows.h"
#include "CKernels_soft.h"

#endif
