// The sums of the threshold equation.
#include "isa.h"

// Partial sums in lanes: one long sum of like signs would lose the digits that the last passes of
// a solver need.
#define DEFINE_SUMS(NAME, POWER, SLOPE)                                                            \
  FOR_EVERY_ISA                                                                                    \
  CKernels_Sums CKernels_sums_##NAME(const double *z, size_t n, double t, double cap) {            \
    double sums[LANES] = {0};                                                                      \
    double slopes[LANES] = {0};                                                                    \
    double capped[LANES] = {0};                                                                    \
    for (size_t i = 0; i < n; i += LANES) {                                                        \
      for (int l = 0; l < LANES; ++l) {                                                            \
        double u = z[i + l] + t > 0 ? z[i + l] + t : 0;                                            \
        double power = POWER;                                                                      \
        double is_active = power < cap ? 1 : 0;                                                    \
        sums[l] += power < cap ? power : 0;                                                        \
        slopes[l] += u > 0 ? is_active * (SLOPE) : 0;                                              \
        capped[l] += 1 - is_active;                                                                \
      }                                                                                            \
    }                                                                                              \
    /* By halves: fifteen additions one after the other took longer than all the rest. */          \
    for (int half = LANES / 2; half > 0; half /= 2) {                                              \
      for (int l = 0; l < half; ++l) {                                                             \
        sums[l] += sums[l + half];                                                                 \
        slopes[l] += slopes[l + half];                                                             \
        capped[l] += capped[l + half];                                                             \
      }                                                                                            \
    }                                                                                              \
    CKernels_Sums result = {sums[0], slopes[0], capped[0]};                                        \
    return result;                                                                                 \
  }

DEFINE_SUMS(linear, u, 1)
DEFINE_SUMS(cubic, u *u *u, 3 * u * u)
