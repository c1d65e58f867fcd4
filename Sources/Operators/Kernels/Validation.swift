/// Checks that the numbers of a request are what an operator takes, before any kernel sees them.
enum Validation {
    /// Throws for the first row and column of `rows` that holds NaN or +inf (or -inf, unless it is
    /// accepted); otherwise gives each row's count of finite entries to `record`.
    ///
    /// O(n) a row.
    static func check(
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
