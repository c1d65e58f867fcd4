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
    size_t i = 0;                                                                                  \
    for (; i < n; i += LANES) {                                                                    \
      double line[LANES];                                                                          \
      size_t rest = n - i < LANES ? n - i : LANES;                                                 \
      if (rest == LANES) {                                                                         \
        memcpy(line, z + i, sizeof line);                                                          \
      } else {                                                                                     \
        for (int l = 0; l < LANES; ++l) line[l] = -INFINITY;                                       \
        memcpy(line, z + i, rest * sizeof *line);                                                  \
      }                                                                                            \
      for (int l = 0; l < LANES; ++l) {                                                            \
        double u = line[l] + t > 0 ? line[l] + t : 0;                                              \
        double power = POWER;                                                                      \
        double is_active = power < cap ? 1 : 0;                                                    \
        sums[l] += power < cap ? power : 0;                                                        \
        slopes[l] += u > 0 ? is_active * (SLOPE) : 0;                                              \
        capped[l] += 1 - is_active;                                                                \
      }                                                                                            \
    }                                                                                              \
    CKernels_Sums result = {0, 0, 0};                                                              \
    for (int l = 0; l < LANES; ++l) {                                                              \
      result.sum += sums[l];                                                                       \
      result.slope += slopes[l];                                                                   \
      result.capped += capped[l];                                                                  \
    }                                                                                              \
    return result;                                                                                 \
  }

DEFINE_SUMS(linear, u, 1)
DEFINE_SUMS(cubic, u *u *u, 3 * u * u)
