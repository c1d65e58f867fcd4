// Passes over the rows of SOFT top-k; part of CKernels.h.
#ifndef CKERNELS_SOFT_H
#define CKERNELS_SOFT_H

#include <stddef.h>

/// SOFT top-k. Entries of a row as distances from a centre: e_i = exp(-|x_i - centre| / tau),
/// negative where x_i is above it; arrays have room for whole lines of 16, filled up with 0.
typedef struct CKernels_Softness {
  double centre;
  /// A power of two by which x is multiplied first: sums of huge numbers stay finite. Negative
  /// where an entry at the centre counts as above it.
  double scale;
  /// 1 / (tau * |scale|)
  double inverse;
} CKernels_Softness;

/// What `soft_measure` finds: how many entries are above the centre, how many are near it or above
/// (SIZE_MAX: more than near_max), and of the others the sum and that of the squares.
typedef struct CKernels_SoftSplit {
  size_t above;
  size_t near;
  double sum;
  double squares;
} CKernels_SoftSplit;

/// Makes distances of x, and copies those that are above or near: more than 2^-14 (2^-28 in
/// float64). `near` has room for near_max + 80; zeros follow the last.
CKernels_SoftSplit CKernels_soft_measure_f32(const float *x, size_t n, CKernels_Softness at,
                                             float *e, size_t near_max, float *near);
CKernels_SoftSplit CKernels_soft_measure_f64(const double *x, size_t n, CKernels_Softness at,
                                             double *e, size_t near_max, double *near);

/// At the threshold centre + tau log(s), with q = y below and q = 1 - y above the centre: the sums
/// of q below less those above, of w = y (1 - y), of w (1 - 2 y) and of w^2.
typedef struct CKernels_SoftSums {
  double excess;
  double slope;
  double bend;
  double squares;
} CKernels_SoftSums;

/// The sums of q and of w on either side.
typedef struct CKernels_SoftSides {
  double below;
  double above;
  double slope_below;
  double slope_above;
} CKernels_SoftSides;

CKernels_SoftSums CKernels_soft_sums_f32(const float *e, size_t n, double s);
CKernels_SoftSums CKernels_soft_sums_f64(const double *e, size_t n, double s);
CKernels_SoftSides CKernels_soft_sides_f32(const float *e, size_t n, double s);
CKernels_SoftSides CKernels_soft_sides_f64(const double *e, size_t n, double s);

/// Distances in, y out; whether all are positive.
bool CKernels_soft_weights_f32(float *e, size_t n, double s);
bool CKernels_soft_weights_f64(double *e, size_t n, double s);

/// Distances in, y (1 - y) out; the first of the largest of n >= 1.
size_t CKernels_soft_slopes_f32(float *e, size_t n, double s);
size_t CKernels_soft_slopes_f64(double *e, size_t n, double s);

/// The sums of w_i and of w_i (scale c_i - origin), and, in float64, the largest |scale c_i|. Of
/// floats the scale is 1.
typedef struct CKernels_SoftMean {
  double total;
  double moment;
  double largest;
} CKernels_SoftMean;

CKernels_SoftMean CKernels_soft_mean_f32(const float *w, const float *c, size_t n, double scale,
                                         double origin);
CKernels_SoftMean CKernels_soft_mean_f64(const double *w, const double *c, size_t n, double scale,
                                         double origin);

/// out_i = w_i (scale c_i - mean) inverse / scale, kept within the type's finite numbers; `scale`
/// is a power of two. Whether none is 0.
bool CKernels_soft_product_f32(const float *w, const float *c, size_t n, double scale, double mean,
                               double inverse, float *out);
bool CKernels_soft_product_f64(const double *w, const double *c, size_t n, double scale,
                               double mean, double inverse, double *out);

#endif
