// Kernels of gaussian_k.
#ifndef CKERNELS_GAUSSIAN_H
#define CKERNELS_GAUSSIAN_H

#include <stddef.h>

/// out_i = u_i = a_i + b_i (a_i alone without b); the sums of u_i - shift and of its square; the
/// maxima of |u| for gather, of n / (16 height) + 1 blocks at most.
typedef struct CKernels_Moments {
  double sum;
  double squares;
} CKernels_Moments;

CKernels_Moments CKernels_moments_f32(const float *a, const float *b, size_t n, double shift,
                                      float *out, size_t height, float *maxima);
CKernels_Moments CKernels_moments_f64(const double *a, const double *b, size_t n, double shift,
                                      double *out, size_t height, double *maxima);

#endif
