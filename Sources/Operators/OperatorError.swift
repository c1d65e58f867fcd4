/// What a request's numbers can do wrong inside an operator. Rows and columns count from 0.
package enum OperatorError: Error, Equatable, Sendable {
    /// `input[row][column]` is NaN, or an infinity that the operator does not take.
    case notFinite(input: String, row: Int, column: Int, value: NonFinite)
    /// The row has fewer finite entries than it is to select.
    case tooFewFiniteEntries(row: Int, k: Int, finiteCount: Int)
    /// A number of a further input is not what the operator takes.
    case wrongInput(String, row: Int, column: Int, expected: String, found: String)
    /// A parameter that does not go with the others.
    case incompatible(_ parameter: String, _ reason: String)
    /// A kernel computed NaN or an infinity: a bug of ours, which must cost this request only.
    case notFiniteAnswer
    /// A kernel did not find what there is: a bug of ours, too.
    case notConverged
    /// The caller gave up, and the operator noticed.
    case cancelled
    /// The byte budget has no room for what the work takes beside its tensors.
    case outOfMemory(byteCount: Int)

    package enum NonFinite: String, Sendable {
        case nan = "NaN"
        case positiveInfinity = "+Infinity"
        case negativeInfinity = "-Infinity"

        init(_ value: Double) {
            self = value.isNaN ? .nan : value > 0 ? .positiveInfinity : .negativeInfinity
        }
    }

    /// The row that the error names, for reporting the first of several.
    package var row: Int {
        switch self {
        case .notFinite(_, let row, _, _), .tooFewFiniteEntries(let row, _, _),
            .wrongInput(_, let row, _, _, _):
            row
        case .incompatible, .notFiniteAnswer, .notConverged, .cancelled, .outOfMemory: .max
        }
    }
}
