import CKernels

/// A few short rows at once, with SIMD across the rows: in a row of 64 numbers there is too little
/// for SIMD along it. Finds the ranks of each, and solves most of them for p = 2 and p = 4/3.
///
/// What is found of a row does not depend on the others.
struct ShortRows: ~Copyable {
    /// Rows with a larger k have the way through group maxima, as those longer than
    /// `RowGroup.lengthMax` have.
    static let kMax = Int(CKernels_candidates_k_max)

    private var ks = Scratch<Int32>()
    private var lambdas = Scratch<Double>()
    private var scores = Scratch<Double>()
    private var columns = Scratch<Int32>()
    private var products = ShortProducts()
    /// What is asked of them and what is found.
    private let found: UnsafeMutablePointer<CKernels_ShortRows>

    init() {
        found = .allocate(capacity: 1)
        found.initialize(to: CKernels_ShortRows())
    }

    deinit { found.deallocate() }

    /// Which rows of x, and of what comes beside it, are brought into the cache while the next are
    /// looked at: 16 from `row` on, or none.
    func bring(_ row: Int?, _ x: DenseRows, _ beside: DenseRows?) {
        found.pointee.ahead.0 = row.map { x.start($0).assumingMemoryBound(to: CChar.self) }
        found.pointee.ahead.1 = row.flatMap {
            beside?.start($0).assumingMemoryBound(to: CChar.self)
        }
        found.pointee.ahead_bytes = x.rowLength * x.dtype.byteCount
    }

    /// Looks at all rows of a few.
    ///
    /// - Parameters:
    ///   - k: of each row; nil where the row has to go the other way.
    ///   - lambda: of each row.
    mutating func solve<S: KernelScalar>(
        _ x: UnsafePointer<S>, rows: Int, rowLength n: Int, isMagnitude: Bool,
        _ exponent: Exponent, k: (Int) -> Int?, lambda: (Int) -> Double
    ) {
        found.pointee.ranked = 0
        found.pointee.solved = 0
        found.pointee.hard = 0
        guard n <= RowGroup.lengthMax else { return }
        let ks = ks.reserve(RowGroup.rowsMax)
        let lambdas = lambdas.reserve(RowGroup.rowsMax)
        var largest: Int32 = 0
        for row in 0..<RowGroup.rowsMax {
            let own = row < rows ? k(row) ?? 0 : 0
            ks[row] = own <= Self.kMax ? Int32(own) : 0
            lambdas[row] = row < rows ? lambda(row) : 1
            largest = max(largest, ks[row])
        }
        guard largest > 0 else { return }
        let room = RowGroup.rowsMax * (CKernels_candidates_max + 4)
        found.pointee.ks = UnsafePointer(ks)
        found.pointee.lambdas = UnsafePointer(lambdas)
        found.pointee.scores = scores.reserve(room)
        found.pointee.columns = columns.reserve(room)
        found.pointee.n = n
        found.pointee.e = exponent.e
        found.pointee.is_magnitude = isMagnitude
        S.findCandidates(x, rows: rows, found)
        CKernels_row_roots(found)
    }

    /// How many rows from `index` on can be emitted together.
    func solvedCount(from index: Int) -> Int {
        (~((found.pointee.solved | found.pointee.hard) >> index)).trailingZeroBitCount
    }

    /// Makes such rows the support's.
    ///
    /// - Parameter skipsHard: whether rows in which nothing is shared are left empty.
    func emit(_ rows: Range<Int>, skipsHard: Bool, to support: inout Support) {
        let isDerived = support.isDerived
        support.replace(rows: rows.count, entriesMax: CKernels_candidates_max) {
            CKernels_row_entries(
                found, rows.lowerBound, rows.upperBound, isDerived, skipsHard, $0, $1, $2)
        }
    }

    /// The gradients of such rows for a cotangent each; zeros are left out.
    ///
    /// - Parameters:
    ///   - cotangents: of all rows that were looked at.
    ///   - sign: what a mask's gradients are multiplied by.
    mutating func multiply(
        _ rows: Range<Int>, _ cotangents: UnsafePointer<Float>, sign: Double,
        _ body: (borrowing ShortProducts) -> Void
    ) {
        products.reserve(rows: rows.count)
        _ = CKernels_row_products(
            found, rows.lowerBound, rows.upperBound, cotangents, sign, products.values.pointer,
            products.columns.pointer, products.segments.pointer, products.gradients.pointer)
        body(products)
    }

    /// The ranks of a row that has to be solved by itself; nil where `solve` has not found them.
    func ranks(_ index: Int) -> Ranks? {
        guard found.pointee.ranked >> index & 1 != 0 else { return nil }
        return Ranks(
            kth: CKernels_row_kth(found, index), next: CKernels_row_next(found, index))
    }
}
