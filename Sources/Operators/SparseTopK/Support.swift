import CKernels

/// A solved row: the entries that are selected, fully or in part, and the derivative there. Or
/// some short rows, one after the other.
///
/// Entries lie in segments that share a threshold; the threshold solver makes one, with columns
/// ascending, the sorting solvers (pav, dykstra) make one a block, in the order of the scores.
struct Support: ~Copyable {
    /// Entries that share a threshold, and the weight K that the active ones share (k - n_capped,
    /// or a block's sum of w): their slopes D couple them, others' do not.
    typealias Segment = CKernels_Segment

    /// Rows of it with their entries and segments: more than one row have one segment each.
    struct Part {
        let rows: Range<Int>
        let entries: Range<Int>
        let segments: Range<Int>
    }

    private(set) var count = 0
    private(set) var segmentCount = 0
    private(set) var rowCount = 1
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
    private var positionScratch = Scratch<Int32>()

    var columns: UnsafeMutablePointer<Int32> { columnScratch.pointer }
    /// Where entries are in the memory of the first row and those that follow it.
    var positions: UnsafePointer<Int32> {
        UnsafePointer(rowCount > 1 ? positionScratch.pointer : columnScratch.pointer)
    }
    /// s_i: x_i, -x_i for the smallest, or |x_i| for magnitude.
    var scores: UnsafeMutablePointer<Double> { scoreScratch.pointer }
    /// m_i > 0 for mask and values; |y_i| for magnitude.
    var weights: UnsafeMutablePointer<Double> { weightScratch.pointer }
    /// D_i = e u_i^(e-1) / lambda on active entries (0 < m_i < 1), 0 on capped ones.
    var slopes: UnsafeMutablePointer<Double> { slopeScratch.pointer }
    /// u_i on active entries: the part that lambda's derivative needs. 0 on capped ones.
    var levels: UnsafeMutablePointer<Double> { levelScratch.pointer }

    /// Segments count their entries from the first of all.
    var segments: UnsafePointer<Segment> { UnsafePointer(segmentScratch.pointer) }

    var whole: Part {
        Part(rows: 0..<rowCount, entries: 0..<count, segments: 0..<segmentCount)
    }

    func part(row: Int) -> Part {
        guard rowCount > 1 else { return whole }
        let segment = segments[row]
        return Part(
            rows: row..<row + 1, entries: segment.start..<segment.end, segments: row..<row + 1)
    }

    /// Becomes some short rows: `fill` writes their entries, of which it returns the count, their
    /// positions, and a segment for each row.
    mutating func replace(
        rows: Int, entriesMax: Int,
        _ fill: (
            CKernels_Entries, _ positions: UnsafeMutablePointer<Int32>,
            UnsafeMutablePointer<Segment>
        ) -> Int
    ) {
        reset(capacity: rows * entriesMax)
        rowCount = rows
        segmentCount = rows
        let positions = positionScratch.reserve(rows * entriesMax + 16)
        count = fill(room, positions, segmentScratch.pointer)
    }

    /// Where the next entries go.
    private var room: CKernels_Entries {
        CKernels_Entries(
            columns: columns + count, scores: scores + count, weights: weights + count,
            slopes: slopes + count, levels: levels + count)
    }

    mutating func reset(capacity: Int) {
        count = 0
        rowCount = 1
        segmentCount = 0
        // Every segment has an entry, but for those of short rows, of which there are fewer.
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
        positionScratch.trim()
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
        let to = room
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

    /// Appends one number an entry of a part, from `values` on, to `rows`; columns ascending.
    func emit(
        _ part: Part, _ values: UnsafePointer<Double>, to rows: SparseRows,
        keepsZeros: Bool = false, _ scratch: Reordering
    ) {
        if rowCount > 1 {
            return rows.appendRows(
                UnsafeBufferPointer(
                    start: segments + part.segments.lowerBound, count: part.segments.count),
                columns, values, keepsZeros: keepsZeros)
        }
        if isAscending {
            return rows.appendRow(count: count, columns, values, keepsZeros: keepsZeros)
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
