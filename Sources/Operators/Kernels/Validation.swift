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
        for row in rows {
            let count =
                switch batch.dtype {
                case .float32:
                    try finiteCount(
                        input, batch.row(row, as: Float.self), row, acceptsNegativeInfinity)
                case .float64:
                    try finiteCount(
                        input, batch.row(row, as: Double.self), row, acceptsNegativeInfinity)
                }
            record(row, count)
        }
    }

    private static func finiteCount<S: KernelScalar>(
        _ input: String, _ values: UnsafeBufferPointer<S>, _ row: Int,
        _ acceptsNegativeInfinity: Bool
    ) throws(OperatorError) -> Int {
        if let base = values.baseAddress, S.areFinite(base, count: values.count) {
            return values.count
        }
        var count = 0
        for (column, value) in values.enumerated() {
            if value.isFinite {
                count += 1
            } else if !(acceptsNegativeInfinity && value == -.infinity) {
                throw .notFinite(
                    input: input, row: row, column: column, value: .init(Double(value)))
            }
        }
        return count
    }
}
