// What the kernels share: instruction sets, lanes, and numbers in the order of their bits.
#ifndef CKERNELS_ISA_H
#define CKERNELS_ISA_H

#include "CKernels.h"

#include <math.h>
#include <string.h>

// One body for each instruction set; the loader picks the best that the processor has. Not under
// ThreadSanitizer: it is not ready when the loader asks.
#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define FOR_EVERY_ISA __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EVERY_ISA
#endif

// The same digits from every instruction set: no multiplication melts into an addition.
#pragma STDC FP_CONTRACT OFF

#define LANES CKernels_lanes

typedef float line_f32 __attribute__((ext_vector_type(LANES)));
typedef double line_f64 __attribute__((ext_vector_type(LANES)));
typedef bool lane_mask __attribute__((ext_vector_type(LANES)));

// BITS and SIGNED are integers as wide as NUMBER.
#define DEFINE_ORDER(SUFFIX, NUMBER, BITS, SIGNED)                                                 \
  static inline size_t count_##SUFFIX(const NUMBER *values, size_t n, NUMBER bound) {              \
    size_t count = 0;                                                                              \
    for (size_t i = 0; i < n; ++i) count += values[i] >= bound;                                    \
    return count;                                                                                  \
  }                                                                                                \
                                                                                                   \
  /* Bits as an integer that is ordered like the numbers, and back. */                             \
  static inline SIGNED ordered_##SUFFIX(NUMBER value) {                                            \
    SIGNED bits;                                                                                   \
    memcpy(&bits, &value, sizeof bits);                                                            \
    return bits >= 0 ? bits : (SIGNED)((BITS)1 << (sizeof(BITS) * 8 - 1)) - bits;                  \
  }                                                                                                \
                                                                                                   \
  static inline NUMBER unordered_##SUFFIX(SIGNED order) {                                          \
    SIGNED bits = order >= 0 ? order : (SIGNED)((BITS)1 << (sizeof(BITS) * 8 - 1)) - order;        \
    NUMBER value;                                                                                  \
    memcpy(&value, &bits, sizeof value);                                                           \
    return value;                                                                                  \
  }

DEFINE_ORDER(f32, float, uint32_t, int32_t)
DEFINE_ORDER(f64, double, uint64_t, int64_t)

#endif
