import CKernels

/// The largest entries or magnitudes of a few short rows, found together with SIMD across them.
struct ShortTops: ~Copyable {
    private var tops = Scratch<Double>()
    private var count = 0

    /// Looks at up to `RowGroup.rowsMax` rows; knows nothing where they are long, or k is large.
    mutating func find<S: KernelScalar>(
        _ x: UnsafePointer<S>, rows: Int, rowLength n: Int, kMax: Int, isAbsolute: Bool
    ) {
        count = 0
        guard n <= RowGroup.lengthMax && kMax <= CKernels_row_tops_max else { return }
        count = max(kMax, CKernels_row_tops_min)
        S.rowTops(
            x, rows: rows, rowLength: n, count, isAbsolute: isAbsolute,
            tops.reserve(CKernels_row_tops_max * RowGroup.rowsMax))
    }

    /// The k-th of a row; nil where `find` has not looked.
    func kth(_ k: Int, row: Int) -> Double? {
        k >= 1 && k <= count ? tops.pointer[(k - 1) * RowGroup.rowsMax + row] : nil
    }
}
