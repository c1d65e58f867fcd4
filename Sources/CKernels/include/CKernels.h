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

/// The largest k that row_ranks takes.
enum { CKernels_row_ranks_max = 8 };

/// kth[r] and next[r] = the k-th and (k+1)-th largest score of each of `rows` (1 to 16) rows of n
/// finite numbers, one after the other, k < n: SIMD goes across the rows. Both have room for 16.
void CKernels_row_ranks_f32(const float *x, size_t rows, size_t n, size_t k, bool absolute,
                            float *kth, float *next);
void CKernels_row_ranks_f64(const double *x, size_t rows, size_t n, size_t k, bool absolute,
                            double *kth, double *next);

/// Sums over u_i = z_i + t > 0: entries with u^e below `cap` give u^e to `sum` and e u^(e-1) to
/// `slope`, all others count as `capped`. n is a multiple of 16, the rest filled up with -inf.
typedef struct CKernels_Sums {
  double sum;
  double slope;
  double capped;
} CKernels_Sums;

/// e = 1.
CKernels_Sums CKernels_sums_linear(const double *z, size_t n, double t, double cap);
/// e = 3.
CKernels_Sums CKernels_sums_cubic(const double *z, size_t n, double t, double cap);

#endif
