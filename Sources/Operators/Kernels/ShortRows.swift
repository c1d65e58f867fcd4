import CKernels

/// A few short rows at once, with SIMD across the rows: in a row of 64 numbers there is too little
/// for SIMD along it. Finds the ranks of each, and solves most of them for p = 2 and p = 4/3.
struct ShortRows: ~Copyable {
    /// Rows at once.
    static let rowsMax = 16
    /// Longer rows have the way through group maxima.
    static let lengthMax = 512
    /// Larger k have the other way, too.
    private static let kMax = CKernels_row_tops_max - CKernels_row_tops_beyond

    /// What is known of one row.
    struct Row {
        let ranks: Ranks
        /// Whether it is known to be hard: nothing is shared.
        let isHard: Bool
        /// nil where the row is hard, or has to be solved by itself.
        let root: Root?

        /// u_i = (s_i - s_{k+1}) / lambda + t is positive from the score `bound` on.
        struct Root {
            let t: Double
            let bound: Double
        }
    }

    private var isReady = false
    private var tops = Scratch<Double>()
    private var lambdas = Scratch<Double>()
    private var ks = Scratch<Int32>()
    private var roots = Scratch<CKernels_RowRoots>()

    /// How many rows are worth taking at once.
    static func rowsAtOnce(rowLength n: Int) -> Int { n <= lengthMax ? rowsMax : 1 }

    /// Looks at all rows of a few. What is found of a row does not depend on the others.
    ///
    /// - Parameters:
    ///   - k: of each row; nil where the row has to go the other way.
    ///   - lambda: of each row.
    mutating func solve<S: KernelScalar>(
        _ x: UnsafePointer<S>, rows: Int, rowLength n: Int, isMagnitude: Bool,
        _ exponent: Exponent, k: (Int) -> Int?, lambda: (Int) -> Double
    ) {
        isReady = false
        guard n <= Self.lengthMax else { return }
        let ks = ks.reserve(Self.rowsMax)
        var largest = 0
        for row in 0..<Self.rowsMax {
            let own = row < rows ? k(row) ?? 0 : 0
            ks[row] = own <= Self.kMax ? Int32(own) : 0
            largest = max(largest, Int(ks[row]))
        }
        guard largest > 0 else { return }
        isReady = true
        let tops = tops.reserve(CKernels_row_tops_max * Self.rowsMax)
        S.rowTops(
            x, rows: rows, rowLength: n, largest + CKernels_row_tops_beyond,
            isAbsolute: isMagnitude, tops)
        let isCubic = exponent.e == 3
        guard isCubic || exponent.e == 1 else {
            roots.pointer.pointee.solved = 0
            roots.pointer.pointee.hard = 0
            return
        }
        let lambdas = lambdas.reserve(Self.rowsMax)
        for row in 0..<Self.rowsMax { lambdas[row] = row < rows ? lambda(row) : 1 }
        CKernels_row_roots(tops, ks, lambdas, isMagnitude, isCubic, roots.pointer)
    }

    /// One of the rows; nil where `solve` has not looked at it.
    @inline(__always)
    func row(_ index: Int) -> Row? {
        guard isReady else { return nil }
        let k = Int(ks.pointer[index])
        guard k > 0 else { return nil }
        let ranks = Ranks(
            kth: tops.pointer[(k - 1) * Self.rowsMax + index],
            next: tops.pointer[k * Self.rowsMax + index])
        let roots = UnsafePointer(roots.pointer)
        let isHard = roots.pointee.hard & (1 << index) != 0
        guard roots.pointee.solved & (1 << index) != 0 else {
            return Row(ranks: ranks, isHard: isHard, root: nil)
        }
        let numbers = UnsafeRawPointer(roots).assumingMemoryBound(to: Double.self)
        return Row(
            ranks: ranks, isHard: false,
            root: Row.Root(t: numbers[index], bound: numbers[Self.rowsMax + index]))
    }
}
