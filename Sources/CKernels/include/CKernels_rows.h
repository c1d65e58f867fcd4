// Up to 16 short rows at once: in a row of 64 numbers there is too little for SIMD along it.
#ifndef CKERNELS_ROWS_H
#define CKERNELS_ROWS_H

/// The most numbers that row_tops finds in a row, the least, and how many beside the k largest are
/// looked at: the (k+1)-th, and three that may share.
enum { CKernels_row_tops_max = 12, CKernels_row_tops_min = 5, CKernels_row_tops_beyond = 4 };

/// tops[16 j + r] = the j-th largest score of row r, j < m, of `rows` (1 to 16) rows of n
/// numbers, one after the other: SIMD goes across the rows. -inf is -inf, also where "absolute",
/// and comes where n < m; lanes beyond the last row repeat it.
void CKernels_row_tops_f32(const float *x, size_t rows, size_t n, size_t m, bool absolute,
                           double *tops);
void CKernels_row_tops_f64(const double *x, size_t rows, size_t n, size_t m, bool absolute,
                           double *tops);

/// What solves the threshold equation of 16 rows. Bit r of `solved` says whether row r's is, bit r
/// of `hard` that nothing is shared in it.
typedef struct CKernels_RowRoots {
  /// u_i = (s_i - the (k+1)-th score) / lambda + t.
  double t[16];
  /// The least score with u > 0.
  double bound[16];
  uint16_t solved;
  uint16_t hard;
} CKernels_RowRoots;

/// Solves what can be solved for p = 2 or 4/3 from the ks[r] + 4 largest scores of each row; hard
/// and unusual rows, and those with k = 0, are not. No row depends on the others.
void CKernels_row_roots(const double *tops, const int32_t *ks, const double *lambdas,
                        bool is_magnitude, bool is_cubic, CKernels_RowRoots *roots);

/// Short rows of n numbers whose answer is known but for its entries, by what was found of them.
typedef struct CKernels_KnownRows {
  const double *tops;
  const int32_t *ks;
  const double *lambdas;
  const CKernels_RowRoots *roots;
  size_t n;
  /// The rows first..<last, all of them solved or hard.
  size_t first;
  size_t last;
  bool is_magnitude;
  bool is_cubic;
  bool is_derived;
  /// Whether hard rows are left without entries.
  bool skips_hard;
} CKernels_KnownRows;

/// Appends the entries of some known rows as CKernels_emit does, a segment for each row; returns
/// how many: at most row_tops_max a row. x is the first of these rows, and `positions` takes where
/// in x each entry is.
size_t CKernels_row_entries_f32(const float *x, const CKernels_KnownRows *rows,
                                CKernels_Entries to, int32_t *positions,
                                CKernels_Segment *segments);
size_t CKernels_row_entries_f64(const double *x, const CKernels_KnownRows *rows,
                                CKernels_Entries to, int32_t *positions,
                                CKernels_Segment *segments);

/// CKernels_round of some rows, the entries of each of which are a segment, the first the first of
/// the values; adds to ends[r] how many are kept up to and with row r.
size_t CKernels_round_rows_f32(const double *values, const int32_t *columns,
                               const CKernels_Segment *rows, size_t count, bool keeps_zeros,
                               float *data, int32_t *indices, ptrdiff_t *ends, bool *is_finite);
size_t CKernels_round_rows_f64(const double *values, const int32_t *columns,
                               const CKernels_Segment *rows, size_t count, bool keeps_zeros,
                               double *data, int32_t *indices, ptrdiff_t *ends, bool *is_finite);

#endif
