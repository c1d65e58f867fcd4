/// Checks that the numbers of a request are what an operator takes: before any kernel sees them,
/// or where an operator that checks along has found that some are not finite.
enum Validation {
    /// Checks all numbers of a block: x, inputs shaped like it, cotangents or tangents. Each row's
    /// count of finite entries goes to `workspace.finiteCounts`.
    static func check(
        _ descriptor: OperatorDescriptor, _ direction: Direction, _ block: borrowing RowBlock,
        _ stack: StackedRows?, _ workspace: Workspace
    ) throws(OperatorError) {
        let finiteCounts = workspace.finiteCounts.reserve(block.rows.count)
        let first = block.rows.lowerBound
        try check(
            "x", block.x, rows: block.rows,
            acceptsNegativeInfinity: descriptor.acceptsNegativeInfinity
        ) { row, count in finiteCounts[row - first] = count }
        for index in block.inputs.indices {
            guard case .rows(let numbers) = block.inputs[index] else { continue }
            let spec = descriptor.inputs[index]
            guard spec.shape == .likeX else { continue }
            try check(spec.name, numbers, rows: block.rows, acceptsNegativeInfinity: false) {
                _, _ in
            }
        }
        guard let stack, let name = direction.stackName else { return }
        for g in 0..<stack.stackCount {
            let start = stack.rowIndex(g, first)
            try check(
                name, stack.rows, rows: start..<start + block.rows.count,
                acceptsNegativeInfinity: false
            ) { _, _ in }
        }
    }

    /// Throws for the first row and column of `rows` that holds NaN or +inf (or -inf, unless it is
    /// accepted); otherwise gives each row's count of finite entries to `record`.
    ///
    /// O(n) a row.
    private static func check(
        _ input: String, _ batch: DenseRows, rows: Range<Int>, acceptsNegativeInfinity: Bool,
        record: (_ row: Int, _ finiteCount: Int) -> Void
    ) throws(OperatorError) {
        // Short rows at once: a call for each takes as long as its numbers.
        if batch.rowLength <= 512 && batch.isFinite(rows) {
            for row in rows { record(row, batch.rowLength) }
            return
        }
        for row in rows {
            if batch.isFinite(row..<row + 1) {
                record(row, batch.rowLength)
                continue
            }
            var count = 0
            for column in 0..<batch.rowLength {
                let value = batch.value(row, column)
                if value.isFinite {
                    count += 1
                } else if !(acceptsNegativeInfinity && value == -.infinity) {
                    throw .notFinite(input: input, row: row, column: column, value: .init(value))
                }
            }
            record(row, count)
        }
    }
}
