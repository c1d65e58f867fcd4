// Up to 16 short rows at once: in a row of 64 numbers there is too little for SIMD along it.
#ifndef CKERNELS_ROWS_H
#define CKERNELS_ROWS_H

/// The most numbers that row_tops finds in a row, and the least.
enum { CKernels_row_tops_max = 12, CKernels_row_tops_min = 5 };

/// tops[16 j + r] = the j-th largest score of row r, j < m, of `rows` (1 to 16) rows of n
/// numbers, one after the other: SIMD goes across the rows. -inf is -inf, also where "absolute",
/// and comes where n < m; lanes beyond the last row repeat it.
void CKernels_row_tops_f32(const float *x, size_t rows, size_t n, size_t m, bool absolute,
                           double *tops);
void CKernels_row_tops_f64(const double *x, size_t rows, size_t n, size_t m, bool absolute,
                           double *tops);

/// The most candidates of a row, and the largest k for which they are looked for.
enum { CKernels_candidates_max = 16, CKernels_candidates_k_max = 8 };

/// Up to 16 short rows: what is asked, what may be active, and the roots of their equations.
typedef struct CKernels_ShortRows {
  /// k of each row, or 0 where it has to go another way.
  const int32_t *ks;
  const double *lambdas;
  size_t n;
  double e;
  bool is_magnitude;
  /// The rows behind these, and what comes beside them, or NULL: brought into the cache meanwhile.
  const char *ahead[2];
  size_t ahead_bytes;  // Of a row.
  /// Candidate j of row r at 16 j + r, in the order of its columns, with room for 20 of each;
  /// behind a row's last -inf, and no columns.
  double *scores;
  int32_t *columns;
  /// Bit r of number j: whether candidate j of row r was negative, of magnitudes.
  uint16_t negative[20];
  /// How many a row has: more than candidates_max if not all were kept. And the most of eight rows.
  int32_t counts[16];
  size_t most[2];
  /// The k-th and the (k+1)-th largest score of each row whose candidates are here.
  double kths[16];
  double nexts[16];
  /// u_i = (s_i - the (k+1)-th score) / lambda + roots[r].
  double roots[16];
  /// Bit r: whether row r's ranks are known, its equation is solved, or nothing is shared in it.
  uint16_t ranked;
  uint16_t solved;
  uint16_t hard;
} CKernels_ShortRows;

/// Finds the scores of `rows` (1 to 16) rows that may be active, whatever the others are: those
/// above a bound of the threshold by a lower bound of the k-th score, the k-th largest of the
/// maxima of 8 or 32 parts of a row. Ranks them, too. No row depends on the others.
void CKernels_candidates_f32(const float *x, size_t rows, CKernels_ShortRows *of);
void CKernels_candidates_f64(const double *x, size_t rows, CKernels_ShortRows *of);

/// Solves what can be solved of 16 rows with candidates, for e = 1 and 3; unusual rows are not. No
/// row depends on the others.
void CKernels_row_roots(CKernels_ShortRows *of);

/// The k-th and the (k+1)-th largest score of a ranked row.
static inline double CKernels_row_kth(const CKernels_ShortRows *of, size_t r) {
  return of->kths[r];
}
static inline double CKernels_row_next(const CKernels_ShortRows *of, size_t r) {
  return of->nexts[r];
}

/// Appends the entries of the rows first..<last, all of them solved or hard, as CKernels_emit does,
/// a segment for each row; returns how many: at most candidates_max a row. `positions` takes where
/// in row `first` and those that follow each entry is.
size_t CKernels_row_entries(const CKernels_ShortRows *of, size_t first, size_t last,
                            bool is_derived, bool skips_hard, CKernels_Entries to,
                            int32_t *positions, CKernels_Segment *segments);

/// The gradient of each of the rows first..<end, all of them solved or hard, and what lambda's is,
/// for cotangents c, rows of n floats as those of x: what CKernels_mask_product gives, times
/// `sign`, or CKernels_magnitude_product for c and gradients times the signs of x. Zeros are left
/// out. Appends as CKernels_row_entries does; c is that of row 0.
size_t CKernels_row_products(const CKernels_ShortRows *of, size_t first, size_t end,
                             const float *c, double sign, double *values, int32_t *columns,
                             CKernels_Segment *segments, double *gradients);

/// CKernels_round of some rows, the entries of each of which are a segment, the first the first of
/// the values; adds to ends[r] how many are kept up to and with row r.
size_t CKernels_round_rows_f32(const double *values, const int32_t *columns,
                               const CKernels_Segment *rows, size_t count, bool keeps_zeros,
                               float *data, int32_t *indices, ptrdiff_t *ends, bool *is_finite);
size_t CKernels_round_rows_f64(const double *values, const int32_t *columns,
                               const CKernels_Segment *rows, size_t count, bool keeps_zeros,
                               double *data, int32_t *indices, ptrdiff_t *ends, bool *is_finite);

#endif
