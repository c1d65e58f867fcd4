import CKernels

/// Exact ranks of a few short rows at once, with SIMD across the rows: in a row of 64 numbers there
/// is too little for SIMD along it (docs/PERFORMANCE.md: 7.9 to 2.9 ns a number).
struct ShortRows: ~Copyable {
    /// Rows at once.
    static let rowsMax = 16
    /// Longer rows have the way through group maxima.
    static let lengthMax = 512

    private(set) var isReady = false
    private var kthScratch = Scratch<Double>()
    private var nextScratch = Scratch<Double>()

    /// How many rows are worth taking at once.
    static func rowsAtOnce(rowLength n: Int) -> Int { n <= lengthMax ? rowsMax : 1 }

    /// Ranks of all rows, where they have enough numbers and k is small.
    ///
    /// - Parameter k: the same for all; all numbers are finite. nil where this is not so.
    mutating func rank<S: KernelScalar>(
        _ x: UnsafePointer<S>, rows: Int, rowLength n: Int, k: Int?, isAbsolute: Bool
    ) {
        guard let k, k < n, k <= CKernels_row_ranks_max, n <= Self.lengthMax else {
            isReady = false
            return
        }
        isReady = true
        S.rowRanks(
            x, rows: rows, rowLength: n, k: k, isAbsolute: isAbsolute, kth: kths(), next: nexts())
    }

    private mutating func kths<S: KernelScalar>() -> UnsafeMutablePointer<S> {
        UnsafeMutableRawPointer(kthScratch.reserve(Self.rowsMax)).assumingMemoryBound(to: S.self)
    }

    private mutating func nexts<S: KernelScalar>() -> UnsafeMutablePointer<S> {
        UnsafeMutableRawPointer(nextScratch.reserve(Self.rowsMax)).assumingMemoryBound(to: S.self)
    }

    /// Ranks of one of the rows; nil where `rank` has not found any.
    @inline(__always)
    func ranks<S: KernelScalar>(_ index: Int, as type: S.Type) -> Ranks? {
        guard isReady else { return nil }
        let kth = UnsafeRawPointer(kthScratch.pointer).assumingMemoryBound(to: S.self)[index]
        let next = UnsafeRawPointer(nextScratch.pointer).assumingMemoryBound(to: S.self)[index]
        return Ranks(kth: Double(kth), next: Double(next))
    }
}
