// Which instruction set runs.
#include "isa.h"

CKernels_ISA CKernels_isa = CKernels_isa_baseline;

CKernels_ISA CKernels_isa_best(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return CKernels_isa_avx512;
  if (__builtin_cpu_supports("x86-64-v3")) return CKernels_isa_avx2;
#endif
  return CKernels_isa_baseline;
}

CKernels_ISA CKernels_isa_current(void) { return CKernels_isa; }

void CKernels_isa_set(CKernels_ISA isa) { CKernels_isa = isa; }

// Before main, and before any thread that could read it.
__attribute__((constructor)) static void choose(void) { CKernels_isa = CKernels_isa_best(); }
