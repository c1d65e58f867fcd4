import Operators

/// One array of sparse rows as the blocks of a batch wrote it.
package struct ResultRows: Sendable {
    private let blocks: [OperatorOutput]
    /// Which of their further outputs; nil for the answer.
    private let index: Int?
    private let stackCount: Int
    package let dtype: DType
    /// Columns of a row.
    package let rowLength: Int
    /// G * B, or B * n for an answer of [B, n, k].
    package let rowCount: Int
    /// Stored numbers.
    package let storedCount: Int

    init(_ blocks: [OperatorOutput], index: Int? = nil, stackCount: Int) {
        self.blocks = blocks
        self.index = index
        self.stackCount = stackCount
        let first = blocks.first?.rows(index)
        dtype = first?.dtype ?? .float32
        rowLength = first?.rowLength ?? 0
        var (rowCount, storedCount) = (0, 0)
        for block in blocks {
            let part = block.rows(index)
            rowCount += part.rowCount
            storedCount += part.count
        }
        self.rowCount = rowCount
        self.storedCount = storedCount
    }

    /// The most numbers that one row stores.
    package var widest: Int {
        var widest = 0
        for block in blocks {
            let part = block.rows(index)
            for row in 0..<part.rowCount {
                widest = max(widest, part.indptr[row + 1] - part.indptr[row])
            }
        }
        return widest
    }

    /// Hands out the rows in their final order (cotangent, then row), as runs of consecutive rows
    /// of one block: with one cotangent a run is a whole block.
    package func forEachRun(_ body: (SparseRows, Range<Int>) -> Void) {
        if stackCount == 1 {
            for block in blocks {
                let part = block.rows(index)
                body(part, 0..<part.rowCount)
            }
            return
        }
        // A block holds its rows' gradients row by row, the G of one row together.
        for g in 0..<stackCount {
            for block in blocks {
                let part = block.rows(index)
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

/// The computed answer: what each block of rows wrote, in the order of the blocks.
package final class InferenceResult: Sendable {
    package let request: InferenceRequest
    package let answer: ResultRows
    /// Further outputs, in the order of `request.form.outputs`.
    package let further: [(spec: TensorSpec, rows: ResultRows)]
    package let nonconvergedRowCount: Int

    package init(request: InferenceRequest, blocks: [OperatorOutput]) {
        self.request = request
        let stackCount = request.form.stackCount
        answer = ResultRows(blocks, stackCount: stackCount)
        var further: [(spec: TensorSpec, rows: ResultRows)] = []
        for (index, spec) in request.form.outputs.enumerated() {
            further.append((spec, ResultRows(blocks, index: index, stackCount: stackCount)))
        }
        self.further = further
        nonconvergedRowCount = blocks.reduce(0) { $0 + $1.nonconvergedRowCount }
        widthNeeded =
            request.layout.format == .padded
            ? Self.groups(further).reduce(answer.widest) { max($0, $1.members[0].rows.widest) } : 0
    }

    /// Stored numbers of the answer.
    package var nonzeroCount: Int { answer.storedCount }

    /// The outputs that share their columns, by group, in order of appearance.
    package var groups: [(name: String, members: [(name: String, rows: ResultRows)])] {
        Self.groups(further)
    }

    private static func groups(
        _ further: [(spec: TensorSpec, rows: ResultRows)]
    ) -> [(name: String, members: [(name: String, rows: ResultRows)])] {
        var groups: [(name: String, members: [(name: String, rows: ResultRows)])] = []
        for (spec, rows) in further {
            switch spec.shape {
            case .shared(let group) where groups.last?.name == group:
                groups[groups.count - 1].members.append((spec.name, rows))
            case .shared(let group):
                groups.append((group, [(spec.name, rows)]))
            case .sparse:
                groups.append((spec.name, [("data", rows)]))
            default: break
            }
        }
        return groups
    }

    /// Outputs that have no format: of one number a row, shaped like x, and lists of indices.
    package var plainOutputs: [(spec: TensorSpec, rows: ResultRows)] {
        further.filter { [.perRow, .likeX, .indices].contains($0.spec.shape) }
    }

    /// Entries a row that a padded answer needs; 0 for others. Looked for once: it takes all rows.
    package let widthNeeded: Int

    /// Entries a row of a padded answer.
    package var width: Int { request.layout.width ?? widthNeeded }
}
