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

/// maxima[16 b + l] = the largest score in lane l of block b; x holds blocks * height * 16 numbers.
void CKernels_group_maxima_f32(const float *x, size_t blocks, size_t height, bool absolute,
                               double *maxima);
void CKernels_group_maxima_f64(const double *x, size_t blocks, size_t height, bool absolute,
                               double *maxima);

/// Appends the scores >= bound of x[start..<end] and their columns, ascending; returns how many.
size_t CKernels_gather_f32(const float *x, size_t start, size_t end, float bound, bool absolute,
                           double *scores, int32_t *columns);
size_t CKernels_gather_f64(const double *x, size_t start, size_t end, double bound, bool absolute,
                           double *scores, int32_t *columns);

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

/// How many of n numbers are >= bound.
size_t CKernels_count_at_least(const double *values, size_t n, double bound);
/// The smallest of n numbers that is >= bound, or +inf.
double CKernels_smallest_at_least(const double *values, size_t n, double bound);
/// The largest of n numbers that is < bound, or -inf.
double CKernels_largest_below(const double *values, size_t n, double bound);

#endif
