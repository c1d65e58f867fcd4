import Operators

/// Everything that a request can do wrong, and everything that can keep us from answering it.
///
/// Protocols map each case to a status, a code and a text (Protocols/Problem+ServiceError.swift).
package enum ServiceError: Error, Equatable, Sendable {
    // The text or bytes are not what the media type says.
    case invalidJSON(reason: String)
    case duplicateKey(String)
    case nestedTooDeep(Place)
    case numberBeyondDouble(Place)
    case invalidQuery(reason: String)
    /// A parameter that exists, but not here (in the query of a JSON request, for example).
    case misplacedParameter(name: String, belongs: String)

    // Well-formed, and impossible.
    case unknownParameter(name: String, known: [String])
    case unknownOperator(name: String, known: [String])
    case missingParameter(name: String, expected: String)
    case wrongType(Place, expected: String, found: String)
    case outOfRange(Place, expected: String, found: String)
    case raggedRows(Place, expected: Int, found: Int)
    case emptyRows(Place)
    case wrongShape(field: String, expected: String, found: String)
    case wrongBodyLength(expected: String, found: Int)
    case tooManyElements(field: String, limit: Int)
    /// An operator that exists, but not behind this route.
    case noSuchProcedure(operatorName: String, procedure: String)
    /// NaN or an infinity among the numbers.
    case notFinite(Place, found: String)
    case tooFewFiniteEntries(row: Int, k: Int, finiteCount: Int, canShrink: Bool)
    /// A parameter that does not go with the others.
    case incompatible(name: String, reason: String)
    /// A padded answer has rows with more entries than were asked for.
    case widthTooSmall(needed: Int, width: Int)

    /// Content-Encoding, and the body, do not go together.
    case invalidEncodedBody(reason: String)
    /// A compressed body that becomes larger than bodies may be.
    case inflatedBodyTooLarge(limit: Int)
    /// An answer that the byte budget could never hold.
    case answerTooLarge(byteCount: Int, limit: Int)

    /// Work that takes more memory beside its numbers than the byte budget has.
    case workTooLarge(byteCount: Int)

    // The service cannot now.
    /// The client's deadline or ours passed, in this stage.
    case deadlinePassed(Stage)
    case overloaded(Resource)
    case draining
    /// A bug of ours: counted, logged, answered.
    case internalError

    /// Where in the request: a field, and the position inside it.
    package struct Place: Equatable, Sendable {
        package let field: String
        /// Indices, outermost first; fewer than `axes` where a whole row is meant.
        package let position: [Int]
        /// Axes of the field: 1 for [n] or one value a row, 2 for [B, n], 3 for [G, B, n].
        package let axes: Int
        /// What the last axes of a cotangent or tangent are.
        package let form: Form

        package struct Form: Equatable, Sendable {
            /// Whether there is an axis of rows.
            package let hasRows: Bool
            /// Whether a row's entry is a list, as in answers of [n, k].
            package let isMatrix: Bool

            package init(hasRows: Bool = true, isMatrix: Bool = false) {
                self.hasRows = hasRows
                self.isMatrix = isMatrix
            }
        }

        package init(
            _ field: String, _ position: [Int] = [], axes: Int? = nil, form: Form = Form()
        ) {
            self.field = field
            self.position = position
            self.axes = max(axes ?? position.count, position.count)
            self.form = form
        }

        /// "x[3][1]".
        package var path: String { field + position.map { "[\($0)]" }.joined() }
    }

    /// What there is too little of.
    package enum Resource: String, Sendable {
        case queue
        case bytes
    }
}

extension ServiceError {
    /// An operator's error in terms of the request that it came from.
    package init(_ error: OperatorError, in invocation: Invocation) {
        self.init(
            error, in: invocation.form.procedure, invocation.x,
            isSingleRow: invocation.form.isSingleRow, invocation.inputs, invocation.form)
    }

    /// - Parameter form: nil while the request is still being checked: no numbers have been looked
    ///   at then.
    init(
        _ error: OperatorError, in procedure: Procedure, _ x: DenseRows, isSingleRow: Bool,
        _ inputs: [InputTensor?], _ form: InvocationForm? = nil
    ) {
        let own: [TensorSpec]
        if case .rows(let op, _) = procedure.work {
            own = op.descriptor.inputs
        } else {
            own = procedure.inputs
        }
        switch error {
        case .notFinite(let input, let row, let column, let value):
            self = .notFinite(
                Self.place(input, row, column, procedure, x, isSingleRow: isSingleRow, form),
                found: value.rawValue)
        case .wrongInput(let input, let row, let column, let expected, let found):
            let index = own.firstIndex { $0.name == input }
            // Weights may be one row for many, and lists have rows of their own.
            let rows = index.flatMap { inputs[$0]?.rowCount } ?? 1
            let hasRows =
                switch index.map({ own[$0].shape }) {
                case .weights: rows > 1
                case .list: true
                default: !isSingleRow
                }
            self = .outOfRange(
                Place(input, hasRows ? [row, column] : [column]), expected: expected, found: found)
        case .incompatible(let name, let reason):
            self = .incompatible(name: name, reason: reason)
        case .tooFewFiniteEntries(let row, let k, let finiteCount):
            let canShrink = procedure.allParameters.contains { $0.name == "short_rows" }
            self = .tooFewFiniteEntries(
                row: row, k: k, finiteCount: finiteCount, canShrink: canShrink)
        case .cancelled:
            self = .draining
        case .outOfMemory(let byteCount):
            self = .workTooLarge(byteCount: byteCount)
        case .notFiniteAnswer, .notConverged:
            self = .internalError
        }
    }

    /// Rows of cotangents are counted through all G of them, and a cotangent of matrices is
    /// checked as one long row.
    private static func place(
        _ input: String, _ row: Int, _ column: Int, _ procedure: Procedure, _ x: DenseRows,
        isSingleRow: Bool, _ form: InvocationForm?
    ) -> Place {
        guard case .rows(let op, let direction) = procedure.work, let form else {
            return Place(input, [row, column])
        }
        let isStack = input == direction.stackName
        var position = form.hasStackAxis && isStack ? [row / x.rowCount] : []
        if !isSingleRow { position.append(row % x.rowCount) }
        let shape = op.answerShape(rowLength: x.rowLength, form.parameters)
        let isMatrix = isStack && direction == .vjp && shape.addsAxis
        position += isMatrix ? [column / shape.rowLength, column % shape.rowLength] : [column]
        return Place(input, position, form: .init(hasRows: !isSingleRow, isMatrix: isMatrix))
    }
}
