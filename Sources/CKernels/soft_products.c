// SOFT top-k's product with its Jacobian, (diag(w) - w w^T / sum w) / tau, w = y (1 - y): the mean
// of a cotangent by the weights w, and each entry's difference from it.
#include "isa.h"

// A sum of so many numbers at a time keeps the digits of float32.
enum { RUN = 8 * LANES };

// EXPONENT_MAX: of half of a factor.
#define DEFINE_SOFT_PRODUCTS(SUFFIX, NUMBER, LARGEST, EXPONENT_MAX)                                \
  KERNEL(CKernels_SoftMean, CKernels_soft_mean_##SUFFIX,                                           \
         (const NUMBER *w, const NUMBER *c, size_t n, double scale, double origin),                \
         (w, c, n, scale, origin)) {                                                               \
    CKernels_SoftMean mean = {0};                                                                  \
    const NUMBER by = (NUMBER)scale, from = (NUMBER)origin;                                        \
    eight_##SUFFIX largest = 0;                                                                    \
    const size_t whole = n / EIGHT * EIGHT;                                                        \
    for (size_t start = 0; start < whole; start += RUN) {                                          \
      const size_t end = start + RUN < whole ? start + RUN : whole;                                \
      eight_##SUFFIX totals = 0, moments = 0;                                                      \
      for (size_t i = start; i < end; i += EIGHT) {                                                \
        eight_##SUFFIX weights = LOAD(eight_##SUFFIX, w + i);                                      \
        eight_##SUFFIX values = LOAD(eight_##SUFFIX, c + i) * by;                                  \
        totals += weights;                                                                         \
        moments += weights * (values - from);                                                      \
        eight_##SUFFIX sizes = __builtin_elementwise_abs(values);                                  \
        largest = sizes > largest ? sizes : largest;                                               \
      }                                                                                            \
      mean.total += sum_of_eight(__builtin_convertvector(totals, eight_f64));                      \
      mean.moment += sum_of_eight(__builtin_convertvector(moments, eight_f64));                    \
    }                                                                                              \
    for (size_t l = 0; l < EIGHT; ++l) {                                                           \
      mean.largest = largest[l] > mean.largest ? largest[l] : mean.largest;                        \
    }                                                                                              \
    for (size_t i = whole; i < n; ++i) {                                                           \
      const double value = (double)(c[i] * by);                                                    \
      mean.total += (double)w[i];                                                                  \
      mean.moment += (double)w[i] * (value - origin);                                              \
      mean.largest = fabs(value) > mean.largest ? fabs(value) : mean.largest;                      \
    }                                                                                              \
    return mean;                                                                                   \
  }                                                                                                \
                                                                                                   \
  INLINE eight_##SUFFIX kept_##SUFFIX(eight_##SUFFIX products) {                                   \
    products = products < LARGEST ? products : LARGEST;                                            \
    return products > -LARGEST ? products : -LARGEST;                                              \
  }                                                                                                \
                                                                                                   \
  KERNEL(bool, CKernels_soft_product_##SUFFIX,                                                     \
         (const NUMBER *w, const NUMBER *c, size_t n, double scale, double mean, double factor,    \
          NUMBER *out),                                                                            \
         (w, c, n, scale, mean, factor, out)) {                                                    \
    /* In two parts, lest the mean lose digits, and the factor its range. Weights are 0 or meet */ \
    /* the first, so that no 0 meets an infinity. */                                               \
    const NUMBER by = (NUMBER)scale, high = (NUMBER)mean, low = (NUMBER)(mean - (double)high);     \
    const int half = (ilogb(factor) - ilogb(scale)) / 2;                                           \
    const int bounded = half > EXPONENT_MAX ? EXPONENT_MAX                                         \
                        : half < -EXPONENT_MAX ? -EXPONENT_MAX : half;                             \
    const NUMBER first = (NUMBER)ldexp(1, bounded);                                                \
    const double rest = ldexp(factor, -bounded) / scale, rest_max = ldexp(1, EXPONENT_MAX);        \
    const NUMBER second =                                                                          \
        (NUMBER)(rest > rest_max ? rest_max : rest < -rest_max ? -rest_max : rest);                \
    __typeof__((eight_##SUFFIX){0} == 0) are_given = -1;                                           \
    NUMBER lanes[EIGHT] = {0}, weights[EIGHT] = {0};                                               \
    bool is_full = true;                                                                           \
    size_t i = 0;                                                                                  \
    for (; i + EIGHT <= n; i += EIGHT) {                                                           \
      eight_##SUFFIX differences = (LOAD(eight_##SUFFIX, c + i) * by - high) - low;                \
      eight_##SUFFIX products =                                                                    \
          kept_##SUFFIX(LOAD(eight_##SUFFIX, w + i) * first * differences * second);               \
      STORE(out + i, products);                                                                    \
      are_given &= products != 0;                                                                  \
    }                                                                                              \
    for (size_t l = 0; l < EIGHT; ++l) is_full &= are_given[l] != 0;                               \
    if (i == n) return is_full;                                                                    \
    memcpy(lanes, c + i, (n - i) * sizeof(NUMBER));                                                \
    memcpy(weights, w + i, (n - i) * sizeof(NUMBER));                                              \
    eight_##SUFFIX differences = (LOAD(eight_##SUFFIX, lanes) * by - high) - low;                  \
    eight_##SUFFIX products =                                                                      \
        kept_##SUFFIX(LOAD(eight_##SUFFIX, weights) * first * differences * second);               \
    for (size_t l = 0; i + l < n; ++l) {                                                           \
      out[i + l] = products[l];                                                                    \
      is_full &= products[l] != 0;                                                                 \
    }                                                                                              \
    return is_full;                                                                                \
  }

DEFINE_SOFT_PRODUCTS(f32, float, FLT_MAX, 120)
DEFINE_SOFT_PRODUCTS(f64, double, DBL_MAX, 1000)
