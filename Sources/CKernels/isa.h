// What the kernels share: instruction sets, lanes, and numbers in the order of their bits.
#ifndef CKERNELS_ISA_H
#define CKERNELS_ISA_H

#include "CKernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

// Lines are handed to functions that are always inlined: no calling convention is involved.
#pragma clang diagnostic ignored "-Wpsabi"

extern CKernels_ISA CKernels_isa;

#define INLINE __attribute__((always_inline)) static inline

// KERNEL(TYPE, NAME, (PARAMETERS), (ARGUMENTS)) { ... } is one body, compiled for each instruction
// set; the one at hand is looked up at each call (isa.c). What a body calls has to be INLINE: code
// that is not would be compiled for the oldest processor. `is_fast` says whether the set has fused
// multiplications. Compilers use half of an AVX-512 register unless they are told.
#define EACH(...) __VA_ARGS__
#ifdef __x86_64__
#define KERNEL(TYPE, NAME, PARAMETERS, ARGUMENTS)                                                  \
  INLINE TYPE NAME##_body(bool is_fast, EACH PARAMETERS);                                          \
  __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))                                 \
  static TYPE NAME##_avx512 PARAMETERS {                                                           \
    return NAME##_body(true, EACH ARGUMENTS);                                                      \
  }                                                                                                \
  __attribute__((target("arch=x86-64-v3"))) static TYPE NAME##_avx2 PARAMETERS {                   \
    return NAME##_body(true, EACH ARGUMENTS);                                                      \
  }                                                                                                \
  TYPE NAME PARAMETERS {                                                                           \
    switch (CKernels_isa) {                                                                        \
      case CKernels_isa_avx512: return NAME##_avx512 ARGUMENTS;                                    \
      case CKernels_isa_avx2: return NAME##_avx2 ARGUMENTS;                                        \
      default: return NAME##_body(false, EACH ARGUMENTS);                                          \
    }                                                                                              \
  }                                                                                                \
  INLINE TYPE NAME##_body(bool is_fast, EACH PARAMETERS)
#else
#define KERNEL(TYPE, NAME, PARAMETERS, ARGUMENTS)                                                  \
  INLINE TYPE NAME##_body(bool is_fast, EACH PARAMETERS);                                          \
  TYPE NAME PARAMETERS { return NAME##_body(true, EACH ARGUMENTS); }                               \
  INLINE TYPE NAME##_body(bool is_fast, EACH PARAMETERS)
#endif

// The same digits from every instruction set: no multiplication melts into an addition.
#pragma STDC FP_CONTRACT OFF

#define LANES CKernels_lanes

typedef float line_f32 __attribute__((ext_vector_type(LANES)));
typedef double line_f64 __attribute__((ext_vector_type(LANES)));
typedef int32_t line_i32 __attribute__((ext_vector_type(LANES)));
typedef int64_t line_i64 __attribute__((ext_vector_type(LANES)));
typedef uint64_t line_u64 __attribute__((ext_vector_type(LANES)));
typedef bool lane_mask __attribute__((ext_vector_type(LANES)));

// A comparison as bits, lane 0 lowest: a line's 16, or fewer of its parts.
#define BITS_OF(BITS, MASK, COMPARISON)                                                            \
  ({                                                                                               \
    MASK lanes_of_comparison = __builtin_convertvector(COMPARISON, MASK);                          \
    BITS bits_of_comparison;                                                                       \
    memcpy(&bits_of_comparison, &lanes_of_comparison, sizeof bits_of_comparison);                  \
    bits_of_comparison;                                                                            \
  })
#define MASK_BITS(COMPARISON) BITS_OF(uint16_t, lane_mask, COMPARISON)
#define EIGHT_BITS(COMPARISON) BITS_OF(uint8_t, eight_mask, COMPARISON)
// The upper half of the byte is anything.
#define QUAD_BITS(COMPARISON) BITS_OF(uint8_t, quad_mask, COMPARISON)
enum { ALL_LANES = (1 << LANES) - 1 };

// Half a line: fewer registers, and one instruction makes bits of a comparison.
enum { EIGHT = 8 };
typedef float eight_f32 __attribute__((ext_vector_type(EIGHT)));
typedef double eight_f64 __attribute__((ext_vector_type(EIGHT)));
typedef int32_t eight_i32 __attribute__((ext_vector_type(EIGHT)));
typedef int64_t eight_i64 __attribute__((ext_vector_type(EIGHT)));
typedef bool eight_mask __attribute__((ext_vector_type(EIGHT)));

// Few short rows have more than four entries.
enum { QUAD = 4 };
typedef double quad_f64 __attribute__((ext_vector_type(QUAD)));
typedef int64_t quad_i64 __attribute__((ext_vector_type(QUAD)));
typedef bool quad_mask __attribute__((ext_vector_type(QUAD)));

// Locals by names that no argument has: `line` was once what it was to be loaded from.
#define LOAD(TYPE, FROM)                                                                           \
  ({                                                                                               \
    TYPE loaded_line;                                                                              \
    memcpy(&loaded_line, FROM, sizeof loaded_line);                                                \
    loaded_line;                                                                                   \
  })
#define STORE(TO, LINE)                                                                            \
  do {                                                                                             \
    __typeof__(LINE) stored_line = (LINE);                                                         \
    memcpy(TO, &stored_line, sizeof stored_line);                                                  \
  } while (0)

// By halves: fifteen additions one after the other took longer than all the rest. What is missing
// to a line may as well be zeros: sums of a quad and of such a line are the same.
INLINE double sum_of_quad(quad_f64 quad) { return (quad[0] + quad[2]) + (quad[1] + quad[3]); }
INLINE double sum_of_eight(eight_f64 eight) { return sum_of_quad(eight.lo + eight.hi); }
INLINE double sum_of(line_f64 line) { return sum_of_eight(line.lo + line.hi); }

// Of numbers that are none of them NaN: compilers leave the order of such minima as it stands.
#define DEFINE_EXTREME(NAME, OF)                                                                   \
  INLINE double NAME(line_f64 line) {                                                              \
    eight_f64 eight = line.lo OF line.hi ? line.lo : line.hi;                                      \
    quad_f64 quad = eight.lo OF eight.hi ? eight.lo : eight.hi;                                    \
    const double even = quad[0] OF quad[2] ? quad[0] : quad[2];                                    \
    const double odd = quad[1] OF quad[3] ? quad[1] : quad[3];                                     \
    return even OF odd ? even : odd;                                                               \
  }

DEFINE_EXTREME(least_of, <)
DEFINE_EXTREME(greatest_of, >)

// BITS and SIGNED are integers as wide as NUMBER.
#define DEFINE_ORDER(SUFFIX, NUMBER, BITS, SIGNED)                                                 \
  INLINE size_t count_##SUFFIX(const NUMBER *values, size_t n, NUMBER bound) {                     \
    size_t count = 0;                                                                              \
    for (size_t i = 0; i < n; ++i) count += values[i] >= bound;                                    \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  /* Bits as an integer that is ordered like the numbers, and back. */                             \
  INLINE SIGNED ordered_##SUFFIX(NUMBER value) {                                                   \
    SIGNED bits;                                                                                   \
    memcpy(&bits, &value, sizeof bits);                                                            \
    return bits >= 0 ? bits : (SIGNED)((BITS)1 << (sizeof(BITS) * 8 - 1)) - bits;                  \
  }                                                                                                \
                                                                                                   \
  INLINE NUMBER unordered_##SUFFIX(SIGNED order) {                                                 \
    SIGNED bits = order >= 0 ? order : (SIGNED)((BITS)1 << (sizeof(BITS) * 8 - 1)) - order;        \
    NUMBER value;                                                                                  \
    memcpy(&value, &bits, sizeof value);                                                           \
    return value;                                                                                  \
  }

DEFINE_ORDER(f32, float, uint32_t, int32_t)
DEFINE_ORDER(f64, double, uint64_t, int64_t)

#endif
