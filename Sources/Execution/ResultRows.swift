import Operators

/// What each block of rows wrote, in the order of the blocks. Nearly always there is one: an array
/// of one would be made and freed with every request.
package struct BlockOutputs: Sendable {
    package let first: OperatorOutput
    let others: [OperatorOutput]

    package init(_ first: OperatorOutput, _ others: [OperatorOutput] = []) {
        self.first = first
        self.others = others
    }

    var isOne: Bool { others.isEmpty }

    subscript(index: Int) -> OperatorOutput { index == 0 ? first : others[index - 1] }

    func forEach(_ body: (OperatorOutput) -> Void) {
        body(first)
        for output in others { body(output) }
    }
}

/// One array of sparse rows as the blocks of a batch wrote it.
package struct ResultRows: Sendable {
    private let first: SparseRows
    private let others: [SparseRows]
    private let stackCount: Int
    /// Columns of a row.
    package let rowLength: Int
    /// G * B, or B * n for an answer of [B, n, k].
    package let rowCount: Int
    /// Stored numbers.
    package let storedCount: Int

    /// - Parameter index: which of their further outputs; nil for the answer.
    init(_ blocks: borrowing BlockOutputs, index: Int? = nil, stackCount: Int) {
        let first = blocks.first.rows(index)
        let others = blocks.isOne ? [] : (copy blocks).others.map { $0.rows(index) }
        self.stackCount = stackCount
        rowLength = first.rowLength
        rowCount = others.reduce(first.rowCount) { $0 + $1.rowCount }
        storedCount = others.reduce(first.count) { $0 + $1.count }
        self.first = consume first
        self.others = consume others
    }

    package var dtype: DType { first.dtype }

    /// The most numbers that one row stores.
    package var widest: Int {
        var widest = 0
        forEachBlock { part in
            for row in 0..<part.rowCount {
                widest = max(widest, part.indptr[row + 1] - part.indptr[row])
            }
        }
        return widest
    }

    private func forEachBlock(_ body: (SparseRows) -> Void) {
        body(first)
        for block in others { body(block) }
    }

    /// Hands out the rows in their final order (cotangent, then row), as runs of consecutive rows
    /// of one block: with one cotangent a run is a whole block.
    package func forEachRun(_ body: (SparseRows, Range<Int>) -> Void) {
        if stackCount == 1 { return forEachBlock { body($0, 0..<$0.rowCount) } }
        // A block holds its rows' gradients row by row, the G of one row together.
        for g in 0..<stackCount {
            forEachBlock { part in
                for row in 0..<(part.rowCount / stackCount) {
                    let place = row * stackCount + g
                    body(part, place..<place + 1)
                }
            }
        }
    }

    /// The same, row by row.
    package func forEachRow(_ body: (SparseRows, Int) -> Void) {
        forEachRun { part, rows in for row in rows { body(part, row) } }
    }
}
