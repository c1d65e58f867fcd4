// Passes over the rows of SOFT top-k; part of CKernels.h.
#ifndef CKERNELS_SOFT_H
#define CKERNELS_SOFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Where SOFT top-k measures a row from, near its threshold; tau > 0.
typedef struct CKernels_Softness {
  double centre;
  double tau;
  /// 1: entries at the centre count as above it, -1: as below, 0: there are none.
  int side;
} CKernels_Softness;

/// What `soft_measure_f32` makes of tau: kept by the caller for further rows, all 0 at first.
typedef struct CKernels_SoftScale {
  double tau, delta, before, after, unit;
  bool is_scaled;
  float first, second, inverse;
  float powers[7];
} CKernels_SoftScale;

/// What `soft_measure` finds: the centre that it took, less than tau away from the one asked for,
/// on the side where entries at that one count as they should; how many entries are near it or
/// above (SIZE_MAX: more than near_max), and of the others the sum and that of the squares.
typedef struct CKernels_SoftSplit {
  double centre;
  size_t near;
  double sum;
  double squares;
} CKernels_SoftSplit;

/// Makes entries E_i = exp((x_i - centre) / tau) of x, arrays with room for whole lines of 16 that
/// are filled up with 0, and copies those that are above or near: more than 2^-16 (2^-30 in
/// float64). `near` and `columns`, their places, have room for near_max + 80; zeros follow near's
/// last.
CKernels_SoftSplit CKernels_soft_measure_f32(const float *x, size_t n, CKernels_Softness at,
                                             CKernels_SoftScale *scale, float *e, size_t near_max,
                                             float *near, int32_t *columns);
CKernels_SoftSplit CKernels_soft_measure_f64(const double *x, size_t n, CKernels_Softness at,
                                             CKernels_SoftScale *scale, double *e,
                                             size_t near_max, double *near, int32_t *columns);

/// At the threshold centre + tau log(s), with q = y below and q = 1 - y above the centre: how many
/// are above, and the sums of q below less those above, of w = y (1 - y), of w (1 - 2 y) and w^2.
typedef struct CKernels_SoftSums {
  size_t above;
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

CKernels_SoftSums CKernels_soft_sums_f32(const float *e, size_t n, double s, bool counts_centre);
CKernels_SoftSums CKernels_soft_sums_f64(const double *e, size_t n, double s, bool counts_centre);
CKernels_SoftSides CKernels_soft_sides_f32(const float *e, size_t n, double s, bool counts_centre);
CKernels_SoftSides CKernels_soft_sides_f64(const double *e, size_t n, double s,
                                           bool counts_centre);

/// Entries in, y out; whether all are positive.
bool CKernels_soft_weights_f32(float *e, size_t n, double s);
bool CKernels_soft_weights_f64(double *e, size_t n, double s);

/// Entries in, y (1 - y) out; the first of the largest of n >= 1.
size_t CKernels_soft_slopes_f32(float *e, size_t n, double s);
size_t CKernels_soft_slopes_f64(double *e, size_t n, double s);

/// The same where s is between 1 / 16 and 16 and `soft_measure` found few near the centre, at least
/// one; `near` is overwritten.
bool CKernels_soft_few_weights_f32(float *e, size_t n, double s, const int32_t *columns,
                                   float *near, size_t near_count);
bool CKernels_soft_few_weights_f64(double *e, size_t n, double s, const int32_t *columns,
                                   double *near, size_t near_count);
size_t CKernels_soft_few_slopes_f32(float *e, size_t n, double s, const int32_t *columns,
                                    float *near, size_t near_count);
size_t CKernels_soft_few_slopes_f64(double *e, size_t n, double s, const int32_t *columns,
                                    double *near, size_t near_count);

/// The sums of w_i and of w_i (scale c_i - origin), and the largest |scale c_i|.
typedef struct CKernels_SoftMean {
  double total;
  double moment;
  double largest;
} CKernels_SoftMean;

CKernels_SoftMean CKernels_soft_mean_f32(const float *w, const float *c, size_t n, double scale,
                                         double origin);
CKernels_SoftMean CKernels_soft_mean_f64(const double *w, const double *c, size_t n, double scale,
                                         double origin);

/// out_i = w_i (scale c_i - mean) factor / scale, kept within the type's finite numbers; `scale`
/// is a power of two. Whether none is 0.
bool CKernels_soft_product_f32(const float *w, const float *c, size_t n, double scale, double mean,
                               double factor, float *out);
bool CKernels_soft_product_f64(const double *w, const double *c, size_t n, double scale,
                               double mean, double factor, double *out);

#endif
