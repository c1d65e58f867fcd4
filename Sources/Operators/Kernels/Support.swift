import CKernels

/// One solved row: the entries that are selected, fully or in part, and the derivative there.
///
/// Entries lie in segments that share a threshold; the threshold solver makes one, with columns
/// ascending, the sorting solvers (pav, dykstra) make one a block, in the order of the scores.
struct Support: ~Copyable {
    /// Entries that share a threshold: their slopes D couple them, others' do not.
    struct Segment: BitwiseCopyable {
        let start: Int
        let end: Int
        /// K, the weight that its active entries share: k - n_capped, or a block's sum of w.
        let weight: Double
    }

    private(set) var count = 0
    private(set) var segmentCount = 0
    private var segmentScratch = Scratch<Segment>()
    private(set) var isAscending = true
    /// Whether slopes and levels are needed; the threshold solver leaves them out otherwise.
    var isDerived = true
    private var columnScratch = Scratch<Int32>()
    private var scoreScratch = Scratch<Double>()
    private var weightScratch = Scratch<Double>()
    private var slopeScratch = Scratch<Double>()
    private var levelScratch = Scratch<Double>()
    private var orderScratch = Scratch<Int32>()

    var columns: UnsafeMutablePointer<Int32> { columnScratch.pointer }
    /// s_i: x_i, -x_i for the smallest, or |x_i| for magnitude.
    var scores: UnsafeMutablePointer<Double> { scoreScratch.pointer }
    /// m_i > 0 for mask and values; |y_i| for magnitude.
    var weights: UnsafeMutablePointer<Double> { weightScratch.pointer }
    /// D_i = e u_i^(e-1) / lambda on active entries (0 < m_i < 1), 0 on capped ones.
    var slopes: UnsafeMutablePointer<Double> { slopeScratch.pointer }
    /// u_i on active entries: the part that lambda's derivative needs. 0 on capped ones.
    var levels: UnsafeMutablePointer<Double> { levelScratch.pointer }

    var segments: UnsafeBufferPointer<Segment> {
        UnsafeBufferPointer(start: segmentScratch.pointer, count: segmentCount)
    }

    mutating func reset(capacity: Int) {
        count = 0
        segmentCount = 0
        // Every segment has an entry.
        _ = segmentScratch.reserve(capacity + 1)
        isAscending = true
        _ = columnScratch.reserve(capacity + 16)
        _ = scoreScratch.reserve(capacity + 16)
        _ = weightScratch.reserve(capacity + 16)
        _ = slopeScratch.reserve(capacity + 16)
        _ = levelScratch.reserve(capacity + 16)
    }

    mutating func trim() {
        count = 0
        columnScratch.trim()
        scoreScratch.trim()
        weightScratch.trim()
        slopeScratch.trim()
        levelScratch.trim()
        orderScratch.trim()
        segmentCount = 0
        segmentScratch.trim()
    }

    @inline(__always)
    mutating func append(
        column: Int32, score: Double, weight: Double, slope: Double, level: Double
    ) {
        columns[count] = column
        scores[count] = score
        weights[count] = weight
        slopes[count] = slope
        levels[count] = level
        count += 1
    }

    /// Appends the entries above a threshold; returns how many of them are capped.
    mutating func append(_ threshold: CKernels_Threshold, _ emit: EmitKernel) -> Int {
        let to = CKernels_Entries(
            columns: columns + count, scores: scores + count, weights: weights + count,
            slopes: slopes + count, levels: levels + count)
        var capped = 0
        count += withUnsafePointer(to: threshold) { emit($0, to, &capped) }
        return capped
    }

    /// Closes the segment of all entries since the last one.
    mutating func endSegment(weight: Double) {
        let start = segmentCount > 0 ? segmentScratch.pointer[segmentCount - 1].end : 0
        guard start < count else { return }
        segmentScratch.pointer[segmentCount] = Segment(start: start, end: count, weight: weight)
        segmentCount += 1
    }

    /// Sets the order in which `ordered` reads, for entries that were appended by score.
    mutating func orderByColumn() {
        isAscending = false
        var order = UnsafeMutableBufferPointer(start: orderScratch.reserve(count), count: count)
        for i in 0..<count { order[i] = Int32(truncatingIfNeeded: i) }
        let columns = columns
        order.sort { columns[Int($0)] < columns[Int($1)] }
    }

    /// Appends one number an entry to `rows`, columns ascending.
    func emit(
        _ values: UnsafePointer<Double>, to rows: SparseRows, keepsZeros: Bool = false,
        _ scratch: Reordering
    ) {
        if isAscending {
            rows.appendRow(count: count, columns, values, keepsZeros: keepsZeros)
            return
        }
        let order = orderScratch.pointer
        let orderedColumns = scratch.columns(count)
        let orderedValues = scratch.values(count)
        for i in 0..<count {
            orderedColumns[i] = columns[Int(order[i])]
            orderedValues[i] = values[Int(order[i])]
        }
        rows.appendRow(count: count, orderedColumns, orderedValues, keepsZeros: keepsZeros)
    }
}

/// Scratch for `Support.emit`.
final class Reordering {
    private var columnScratch = Scratch<Int32>()
    private var valueScratch = Scratch<Double>()

    func columns(_ count: Int) -> UnsafeMutablePointer<Int32> { columnScratch.reserve(count) }
    func values(_ count: Int) -> UnsafeMutablePointer<Double> { valueScratch.reserve(count) }

    func trim() {
        columnScratch.trim()
        valueScratch.trim()
    }
}

extension Double {
    /// Brings infinities back to the largest finite number. Never called on NaN.
    @inline(__always)
    var finite: Double {
        min(max(self, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
    }
}
