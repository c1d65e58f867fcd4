import Operators

/// One array of sparse rows as the blocks of a batch wrote it.
package struct ResultRows: Sendable {
    private let parts: [SparseRows]
    private let stackCount: Int
    package let dtype: DType
    /// Columns of a row.
    package let rowLength: Int

    init(_ parts: [SparseRows], stackCount: Int) {
        self.parts = parts
        self.stackCount = stackCount
        dtype = parts.first?.dtype ?? .float32
        rowLength = parts.first?.rowLength ?? 0
    }

    /// G * B, or B * n for an answer of [B, n, k].
    package var rowCount: Int { parts.reduce(0) { $0 + $1.rowCount } }

    /// Stored numbers.
    package var storedCount: Int { parts.reduce(0) { $0 + $1.count } }

    /// The most numbers that one row stores.
    package var widest: Int {
        var widest = 0
        for part in parts {
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
            for part in parts { body(part, 0..<part.rowCount) }
            return
        }
        // A block holds its rows' gradients row by row, the G of one row together.
        for g in 0..<stackCount {
            for part in parts {
                for row in 0..<(part.rowCount / stackCount) {
                    let index = row * stackCount + g
                    body(part, index..<index + 1)
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
package struct InferenceResult: Sendable {
    package let request: InferenceRequest
    package let answer: ResultRows
    /// Further outputs, in the order of `request.outputs`.
    package let further: [(spec: TensorSpec, rows: ResultRows)]
    package let nonconvergedRowCount: Int

    package init(request: InferenceRequest, blocks: [OperatorOutput]) {
        self.request = request
        answer = ResultRows(blocks.map { $0.answer }, stackCount: request.stackCount)
        var further: [(spec: TensorSpec, rows: ResultRows)] = []
        for (index, spec) in request.outputs.enumerated() {
            let parts = blocks.map { block in block.further[index] }
            further.append((spec, ResultRows(parts, stackCount: request.stackCount)))
        }
        self.further = further
        nonconvergedRowCount = blocks.reduce(0) { $0 + $1.nonconvergedRowCount }
        guard request.layout.format == .padded else { return }
        widthNeeded = groups.reduce(answer.widest) { max($0, $1.members[0].rows.widest) }
    }

    /// Stored numbers of the answer.
    package var nonzeroCount: Int { answer.storedCount }

    /// The outputs that share their columns, by group, in order of appearance.
    package var groups: [(name: String, members: [(name: String, rows: ResultRows)])] {
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
    package private(set) var widthNeeded = 0

    /// Entries a row of a padded answer.
    package var width: Int { request.layout.width ?? widthNeeded }
}
