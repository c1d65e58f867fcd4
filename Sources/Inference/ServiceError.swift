import Operators

/// Everything that a request can do wrong, and everything that can keep us from answering it.
///
/// Room Service maps each case to a status, a stable code and a text (Problem.swift).
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
    case noSuchDirection(operatorName: String, direction: Direction)
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
    package init(_ error: OperatorError, in request: InferenceRequest) {
        switch error {
        case .notFinite(let input, let row, let column, let value):
            // Rows of cotangents are counted through all G of them.
            let b = request.x.rowCount
            let isStack = input == request.direction.stackName
            var position = request.form.hasStackAxis && isStack ? [row / b] : []
            if !request.isSingleRow { position.append(row % b) }
            // A cotangent of matrices is checked as one long row.
            let shape = request.op.answerShape(rowLength: request.x.rowLength, request.parameters)
            let isMatrix = isStack && request.direction == .vjp && shape.addsAxis
            let last = isMatrix ? [column / shape.rowLength, column % shape.rowLength] : [column]
            let form = Place.Form(hasRows: !request.isSingleRow, isMatrix: isMatrix)
            self = .notFinite(Place(input, position + last, form: form), found: value.rawValue)
        case .wrongInput(let input, let row, let column, let expected, let found):
            let index = request.op.descriptor.inputs.firstIndex { $0.name == input }
            // Weights may be one row for many; others have rows where x has.
            let isWeights =
                index.map { request.op.descriptor.inputs[$0].shape == .weights } ?? false
            let rows = index.flatMap { request.inputs[$0]?.rowCount } ?? 1
            let hasRows = isWeights ? rows > 1 : !request.isSingleRow
            self = .outOfRange(
                Place(input, hasRows ? [row, column] : [column]), expected: expected, found: found)
        case .incompatible(let name, let reason):
            self = .incompatible(name: name, reason: reason)
        case .tooFewFiniteEntries(let row, let k, let finiteCount):
            let canShrink = request.op.descriptor.parameters.contains { $0.name == "short_rows" }
            self = .tooFewFiniteEntries(
                row: row, k: k, finiteCount: finiteCount, canShrink: canShrink)
        case .cancelled:
            self = .draining
        case .notFiniteAnswer, .notConverged:
            self = .internalError
        }
    }
}
