import CKernels

/// A few short rows at once, with SIMD across the rows: in a row of 64 numbers there is too little
/// for SIMD along it. Finds the ranks of each, and solves most of them for p = 2 and p = 4/3.
///
/// What is found of a row does not depend on the others.
struct ShortRows: ~Copyable {
    /// Rows at once.
    static let rowsMax = 16
    /// Longer rows have the way through group maxima.
    static let lengthMax = 512
    /// Larger k have the other way, too.
    private static let kMax = CKernels_row_tops_max - CKernels_row_tops_beyond

    /// Bit r: the ranks of row r are known, and those of which its answer is.
    private var ranked: UInt16 = 0
    private var solved: UInt16 = 0
    private var tops = Scratch<Double>()
    private var lambdas = Scratch<Double>()
    private var ks = Scratch<Int32>()
    private var roots = Scratch<CKernels_RowRoots>()
    private var known = CKernels_KnownRows()

    /// How many rows are worth taking at once.
    static func rowsAtOnce(rowLength n: Int) -> Int { n <= lengthMax ? rowsMax : 1 }

    /// Looks at all rows of a few.
    ///
    /// - Parameters:
    ///   - k: of each row; nil where the row has to go the other way.
    ///   - lambda: of each row.
    mutating func solve<S: KernelScalar>(
        _ x: UnsafePointer<S>, rows: Int, rowLength n: Int, isMagnitude: Bool,
        _ exponent: Exponent, k: (Int) -> Int?, lambda: (Int) -> Double
    ) {
        ranked = 0
        solved = 0
        guard n <= Self.lengthMax else { return }
        let ks = ks.reserve(Self.rowsMax)
        var largest = 0
        for row in 0..<Self.rowsMax {
            let own = row < rows ? k(row) ?? 0 : 0
            ks[row] = own <= Self.kMax ? Int32(own) : 0
            ranked |= ks[row] > 0 ? 1 << row : 0
            largest = max(largest, Int(ks[row]))
        }
        guard largest > 0 else { return }
        let tops = tops.reserve(CKernels_row_tops_max * Self.rowsMax)
        S.rowTops(
            x, rows: rows, rowLength: n, largest + CKernels_row_tops_beyond,
            isAbsolute: isMagnitude, tops)
        let isCubic = exponent.e == 3
        guard isCubic || exponent.e == 1 else { return }
        let lambdas = lambdas.reserve(Self.rowsMax)
        for row in 0..<Self.rowsMax { lambdas[row] = row < rows ? lambda(row) : 1 }
        let roots = roots.pointer
        CKernels_row_roots(tops, ks, lambdas, isMagnitude, isCubic, roots)
        solved = (roots.pointee.solved | roots.pointee.hard) & ranked
        known = CKernels_KnownRows(
            tops: tops, ks: ks, lambdas: lambdas, roots: roots, n: n, first: 0, last: 0,
            is_magnitude: isMagnitude, is_cubic: isCubic, is_derived: false, skips_hard: false)
    }

    /// How many rows from `index` on can be emitted together.
    func solvedCount(from index: Int) -> Int { (~(solved >> index)).trailingZeroBitCount }

    /// Makes such rows, the first of which is at x, the support's.
    ///
    /// - Parameter skipsHard: whether rows in which nothing is shared are left empty.
    mutating func emit<S: KernelScalar>(
        _ rows: Range<Int>, _ x: UnsafePointer<S>, skipsHard: Bool, to support: inout Support
    ) {
        known.first = rows.lowerBound
        known.last = rows.upperBound
        known.is_derived = support.isDerived
        known.skips_hard = skipsHard
        withUnsafePointer(to: known) { known in
            support.replace(rows: rows.count, entriesMax: CKernels_row_tops_max) {
                S.rowEntries(x, known, $0, positions: $1, $2)
            }
        }
    }

    /// The ranks of a row that has to be solved by itself; nil where `solve` has not found them.
    func ranks(_ index: Int) -> Ranks? {
        guard ranked >> index & 1 != 0 else { return nil }
        let k = Int(ks.pointer[index])
        return Ranks(
            kth: tops.pointer[(k - 1) * Self.rowsMax + index],
            next: tops.pointer[k * Self.rowsMax + index])
    }
}
