// Numbers become 16-bit floats, rounded once.
#include "rounding.h"

typedef uint16_t line_u16 __attribute__((ext_vector_type(LANES)));
typedef uint32_t line_u32 __attribute__((ext_vector_type(LANES)));

INLINE line_u32 bits_of(line_f32 numbers) { return LOAD(line_u32, &numbers); }
INLINE line_f32 float_of(line_u32 bits) { return LOAD(line_f32, &bits); }

// To float, and to the odd neighbour where that is not exact: rounded to nearest a second time, to
// far fewer bits, this gives what one rounding would (Boldo and Melquiond 2008).
INLINE line_u32 odd_bits(line_f64 line) {
  line_f32 nearest = __builtin_convertvector(line, line_f32);
  line_f64 back = __builtin_convertvector(nearest, line_f64);
  line_u32 bits = bits_of(nearest);
  line_i32 is_inexact = __builtin_convertvector(back != line, line_i32);
  line_i32 is_above = __builtin_convertvector(
      __builtin_elementwise_abs(back) > __builtin_elementwise_abs(line), line_i32);
  line_u32 odd = bits + (is_above ? (line_u32)UINT32_MAX : (line_u32)1);
  return (is_inexact & ((bits & 1) == 0)) ? odd : bits;
}

// Floats of a magnitude that the type has, to nearest, ties to even.
INLINE line_u16 nearest_f16(line_u32 bits) {
  line_u32 magnitude = bits & 0x7fffffff;
  line_u32 normal = ((magnitude + 0xfff + (magnitude >> 13 & 1)) >> 13) - (112 << 10);
  // Next to 1/2 a float's last bit is a subnormal's.
  line_u32 subnormal = bits_of(float_of(magnitude) + 0.5f) - 0x3f000000;
  line_u32 rounded = magnitude < 0x38800000 ? subnormal : normal;
  return __builtin_convertvector(rounded | (bits >> 16 & 0x8000), line_u16);
}

INLINE line_u16 nearest_bf16(line_u32 bits) {
  return __builtin_convertvector((bits + 0x7fff + (bits >> 16 & 1)) >> 16, line_u16);
}

// Appends the first `width` lanes, but for zeros unless they are kept; returns how many.
INLINE size_t put(line_u16 line, line_i32 columns, size_t width, bool keeps_zeros, uint16_t *data,
                  int32_t *indices) {
  // No negative zeros.
  line = (line & 0x7fff) == 0 ? 0 : line;
  unsigned wanted = MASK_BITS(line != 0) | (keeps_zeros ? ALL_LANES : 0);
  if (width >= LANES && wanted == ALL_LANES) {
    STORE(data, line);
    STORE(indices, columns);
    return LANES;
  }
  size_t kept = 0;
  for (wanted &= (1u << width) - 1; wanted != 0; wanted &= wanted - 1) {
    int l = __builtin_ctz(wanted);
    data[kept] = line[l];
    indices[kept++] = columns[l];
  }
  return kept;
}

// Up to a line of floats; zeros behind them.
INLINE line_f32 floats_at(const float *values, size_t width) {
  if (width >= LANES) return LOAD(line_f32, values);
  float lanes[LANES] = {0};
  for (size_t l = 0; l < width; ++l) lanes[l] = values[l];
  return LOAD(line_f32, lanes);
}

#define DEFINE_HALVES(SUFFIX, LARGEST)                                                             \
  INLINE size_t round_##SUFFIX(const double *values, const int32_t *columns, size_t n,             \
                               bool keeps_zeros, uint16_t *data, int32_t *indices,                 \
                               bool *is_finite) {                                                  \
    const line_i32 first = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};                 \
    line_f64 checks = 0;                                                                           \
    size_t kept = 0;                                                                               \
    for (size_t i = 0; i < n; i += LANES) {                                                        \
      const size_t width = n - i < LANES ? n - i : LANES;                                          \
      line_f64 line = 0;                                                                           \
      line_i32 own = first + (int32_t)i;                                                           \
      if (width == LANES) {                                                                        \
        __builtin_memcpy_inline(&line, values + i, sizeof line);                                   \
        if (columns != NULL) __builtin_memcpy_inline(&own, columns + i, sizeof own);               \
      } else {                                                                                     \
        double lanes[LANES] = {0};                                                                 \
        int32_t places[LANES] = {0};                                                               \
        for (size_t l = 0; l < width; ++l) {                                                       \
          lanes[l] = values[i + l];                                                                \
          places[l] = columns == NULL ? (int32_t)(i + l) : columns[i + l];                         \
        }                                                                                          \
        line = LOAD(line_f64, lanes);                                                              \
        own = LOAD(line_i32, places);                                                              \
      }                                                                                            \
      checks += line * 0;                                                                          \
      line = line < LARGEST ? line : LARGEST;                                                      \
      line = line > -LARGEST ? line : -LARGEST;                                                    \
      kept += put(nearest_##SUFFIX(odd_bits(line)), own, width, keeps_zeros, data + kept,          \
                  indices + kept);                                                                 \
    }                                                                                              \
    if (MASK_BITS(checks != 0) != 0) *is_finite = false;                                           \
    return kept;                                                                                   \
  }                                                                                                \
                                                                                                   \
  DEFINE_ROUNDING(SUFFIX, uint16_t)                                                                \
                                                                                                   \
  INLINE line_u16 narrowed_##SUFFIX(line_f32 line) {                                               \
    line = line < (float)LARGEST ? line : (float)LARGEST;                                          \
    line = line > -(float)LARGEST ? line : -(float)LARGEST;                                        \
    return nearest_##SUFFIX(bits_of(line));                                                        \
  }                                                                                                \
                                                                                                   \
  KERNEL(size_t, CKernels_pack_##SUFFIX,                                                           \
         (const float *values, size_t n, uint16_t *data, int32_t *indices, bool *is_finite),       \
         (values, n, data, indices, is_finite)) {                                                  \
    const line_i32 first = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};                 \
    size_t kept = 0;                                                                               \
    line_f32 checks = 0;                                                                           \
    for (size_t i = 0; i < n; i += LANES) {                                                        \
      const size_t width = n - i < LANES ? n - i : LANES;                                          \
      line_f32 line = floats_at(values + i, width);                                                \
      checks += line * 0;                                                                          \
      kept += put(narrowed_##SUFFIX(line), first + (int32_t)i, width, false, data + kept,          \
                  indices + kept);                                                                 \
    }                                                                                              \
    if (MASK_BITS(checks != 0) != 0) *is_finite = false;                                           \
    return kept;                                                                                   \
  }                                                                                                \
                                                                                                   \
  KERNEL(void, CKernels_narrow_##SUFFIX, (const float *values, size_t n, uint16_t *out),           \
         (values, n, out)) {                                                                       \
    for (size_t i = 0; i < n; i += LANES) {                                                        \
      const size_t width = n - i < LANES ? n - i : LANES;                                          \
      line_u16 line = narrowed_##SUFFIX(floats_at(values + i, width));                             \
      if (width == LANES) {                                                                        \
        STORE(out + i, line);                                                                      \
      } else {                                                                                     \
        for (size_t l = 0; l < width; ++l) out[i + l] = line[l];                                   \
      }                                                                                            \
    }                                                                                              \
  }

DEFINE_HALVES(f16, 65504.0)
DEFINE_HALVES(bf16, 0x1.fep127)
