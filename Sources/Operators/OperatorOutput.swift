/// What an operator writes for a block of rows: the answer, and its further outputs.
package final class OperatorOutput: @unchecked Sendable {
    package let answer = SparseRows()
    /// One for each of `specs`; idle ones stay behind.
    private var pool: [SparseRows] = []
    package private(set) var specs: [TensorSpec] = []
    /// Rows whose solver gave up; it has said so in an output of its own.
    package var nonconvergedRowCount = 0
    /// The whole answer of work that answers a document.
    package var document: Document?

    package init() {}

    /// Forgets what was written and keeps the memory.
    ///
    /// - Parameters:
    ///   - rowLength: of the answer.
    ///   - rowCapacity: rows that will be appended to the answer.
    package func reset(
        dtype: DType, rowLength: Int, rowCapacity: Int, _ specs: [TensorSpec] = []
    ) {
        if !(specs.isEmpty && self.specs.isEmpty) { self.specs = specs }
        nonconvergedRowCount = 0
        if document != nil { document = nil }
        answer.reset(dtype: dtype, rowLength: rowLength, rowCapacity: rowCapacity)
        if specs.isEmpty { return }
        while pool.count < specs.count { pool.append(SparseRows()) }
        for (spec, rows) in zip(specs, pool) {
            var length = rowLength
            if case .perRow = spec.shape { length = 1 }
            rows.reset(
                dtype: spec.type == .answer ? dtype : .float64, rowLength: length,
                rowCapacity: rowCapacity)
        }
    }

    /// A further output of this request; nil if it has none of that name. O(outputs).
    package subscript(name: String) -> SparseRows? {
        specs.firstIndex { $0.name == name }.map { pool[$0] }
    }

    /// The answer (nil), or the further output at this place in `specs`.
    package func rows(_ index: Int?) -> SparseRows {
        guard let index else { return answer }
        precondition(index < specs.count)
        return pool[index]
    }

    /// Further outputs in the order of `specs`.
    private var further: ArraySlice<SparseRows> { pool.prefix(specs.count) }

    package var capacityBytes: Int {
        pool.reduce(answer.capacityBytes) { $0 + $1.capacityBytes }
    }

    var hasNonFinite: Bool { answer.hasNonFinite || further.contains { $0.hasNonFinite } }
}
