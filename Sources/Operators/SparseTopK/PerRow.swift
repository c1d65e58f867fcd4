/// A parameter's values, one for all rows or one for each. Taken out once a request: looking into a
/// `ParameterValue` for each row of a router cost a tenth of its time.
struct PerRow<Value: BitwiseCopyable & Sendable>: Sendable {
    private let values: [Value]
    /// What all rows have, if it is one for all.
    let shared: Value?

    init(_ values: [Value]) {
        self.values = values
        shared = values.count == 1 ? values[0] : nil
    }

    subscript(row: Int) -> Value {
        @inline(__always) get { shared ?? values[row] }
    }
}
