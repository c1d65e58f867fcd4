// SOFT top-k's product with its Jacobian, (diag(w) - w w^T / sum w) / tau, w = y (1 - y): the mean
// of a cotangent by the weights w, and each entry's difference from it.
#include "isa.h"

#define DEFINE_SOFT_PRODUCTS(SUFFIX, NUMBER, LARGEST)                                              \
  /* A power of two that only doubles need. */                                                     \
  INLINE double used_scale_##SUFFIX(double scale) { return sizeof(NUMBER) < 8 ? 1 : scale; }       \
                                                                                                   \
  INLINE eight_f64 eight_doubles_##SUFFIX(const NUMBER *numbers) {                                 \
    return __builtin_convertvector(LOAD(eight_##SUFFIX, numbers), eight_f64);                      \
  }                                                                                                \
                                                                                                   \
  KERNEL(CKernels_SoftMean, CKernels_soft_mean_##SUFFIX,                                           \
         (const NUMBER *w, const NUMBER *c, size_t n, double scale, double origin),                \
         (w, c, n, scale, origin)) {                                                               \
    const double used = used_scale_##SUFFIX(scale);                                                \
    eight_f64 totals = 0, moments = 0, largest = 0;                                                \
    size_t i = 0;                                                                                  \
    for (; i + EIGHT <= n; i += EIGHT) {                                                           \
      eight_f64 weights = eight_doubles_##SUFFIX(w + i);                                           \
      eight_f64 values = eight_doubles_##SUFFIX(c + i) * used;                                     \
      totals += weights;                                                                           \
      moments += weights * (values - origin);                                                      \
      if (sizeof(NUMBER) < 8) continue;                                                            \
      eight_f64 sizes = __builtin_elementwise_abs(values);                                         \
      largest = sizes > largest ? sizes : largest;                                                 \
    }                                                                                              \
    CKernels_SoftMean mean = {sum_of_eight(totals), sum_of_eight(moments), 0};                     \
    for (size_t l = 0; l < EIGHT; ++l) {                                                           \
      mean.largest = largest[l] > mean.largest ? largest[l] : mean.largest;                        \
    }                                                                                              \
    for (; i < n; ++i) {                                                                           \
      const double value = (double)c[i] * used;                                                    \
      mean.total += (double)w[i];                                                                  \
      mean.moment += (double)w[i] * (value - origin);                                              \
      mean.largest = fabs(value) > mean.largest ? fabs(value) : mean.largest;                      \
    }                                                                                              \
    return mean;                                                                                   \
  }                                                                                                \
                                                                                                   \
  KERNEL(bool, CKernels_soft_product_##SUFFIX,                                                     \
         (const NUMBER *w, const NUMBER *c, size_t n, double scale, double mean, double inverse,   \
          NUMBER *out),                                                                            \
         (w, c, n, scale, mean, inverse, out)) {                                                   \
    const double used = used_scale_##SUFFIX(scale), unscale = 1 / used;                            \
    __typeof__((eight_##SUFFIX){0} == 0) are_given = -1;                                           \
    size_t i = 0;                                                                                  \
    for (; i + EIGHT <= n; i += EIGHT) {                                                           \
      eight_f64 differences = eight_doubles_##SUFFIX(c + i) * used - mean;                         \
      eight_f64 exact = eight_doubles_##SUFFIX(w + i) * differences * inverse * unscale;           \
      eight_##SUFFIX products = __builtin_convertvector(exact, eight_##SUFFIX);                    \
      products = products < LARGEST ? products : LARGEST;                                          \
      products = products > -LARGEST ? products : -LARGEST;                                        \
      STORE(out + i, products);                                                                    \
      are_given &= products != 0;                                                                  \
    }                                                                                              \
    bool is_full = true;                                                                           \
    for (size_t l = 0; l < EIGHT; ++l) is_full &= are_given[l] != 0;                               \
    for (; i < n; ++i) {                                                                           \
      double exact = (double)w[i] * ((double)c[i] * used - mean) * inverse * unscale;              \
      exact = exact < (double)LARGEST ? exact : (double)LARGEST;                                   \
      out[i] = (NUMBER)(exact > -(double)LARGEST ? exact : -(double)LARGEST);                      \
      is_full &= out[i] != 0;                                                                      \
    }                                                                                              \
    return is_full;                                                                                \
  }

DEFINE_SOFT_PRODUCTS(f32, float, FLT_MAX)
DEFINE_SOFT_PRODUCTS(f64, double, DBL_MAX)
