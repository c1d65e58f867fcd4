// Answers in IEEE half precision and bfloat16: numbers rounded once, to nearest, ties to even.
#ifndef CKERNELS_HALVES_H
#define CKERNELS_HALVES_H

/// CKernels_round, CKernels_round_rows and CKernels_pack of 16-bit floats.
size_t CKernels_round_f16(const double *values, const int32_t *columns, size_t n, bool keeps_zeros,
                          uint16_t *data, int32_t *indices, bool *is_finite);
size_t CKernels_round_bf16(const double *values, const int32_t *columns, size_t n,
                           bool keeps_zeros, uint16_t *data, int32_t *indices, bool *is_finite);
size_t CKernels_round_rows_f16(const double *values, const int32_t *columns,
                               const CKernels_Segment *rows, size_t count, bool keeps_zeros,
                               uint16_t *data, int32_t *indices, ptrdiff_t *ends,
                               bool *is_finite);
size_t CKernels_round_rows_bf16(const double *values, const int32_t *columns,
                                const CKernels_Segment *rows, size_t count, bool keeps_zeros,
                                uint16_t *data, int32_t *indices, ptrdiff_t *ends,
                                bool *is_finite);
size_t CKernels_pack_f16(const float *values, size_t n, uint16_t *data, int32_t *indices,
                         bool *is_finite);
size_t CKernels_pack_bf16(const float *values, size_t n, uint16_t *data, int32_t *indices,
                          bool *is_finite);

/// n finite numbers, clamped to the type's largest; zeros keep their sign.
void CKernels_narrow_f16(const float *values, size_t n, uint16_t *out);
void CKernels_narrow_bf16(const float *values, size_t n, uint16_t *out);

#endif
