import Execution
import Operators

extension Problem {
    /// The one place where service errors become answers. No `default`: a new error must say what
    /// it is.
    package init(_ error: ServiceError) {
        switch error {
        case .invalidJSON(let reason):
            self.init(.invalidJSON, "the body is not the JSON that is taken here: \(reason)")
        case .duplicateKey(let name):
            self.init(.duplicateKey, field: name, "\(name) is given more than once")
        case .nestedTooDeep(let place):
            self.init(.tooDeep, place, "\(place.path) is nested too deep")
        case .numberBeyondDouble(let place):
            self.init(.numberTooLarge, place, "\(place.path) is a number beyond float64")
        case .invalidQuery(let reason):
            self.init(.invalidQuery, "the query cannot be read: \(reason)")
        case .misplacedParameter(let name, let belongs):
            self.init(
                .misplacedParameter, field: name,
                "\(name) does not belong here, but in \(belongs)")
        case .unknownParameter(let name, let known): self = .unknownParameter(name, known)
        case .unknownOperator(let name, let known): self = .unknownOperator(name, known)
        case .missingParameter(let name, let expected): self = .missingParameter(name, expected)
        case .wrongType(let place, let expected, let found):
            self.init(place: place, .wrongType, expected, found)
        case .outOfRange(let place, let expected, let found):
            self.init(place: place, .outOfRange, expected, found)
        case .notFinite(let place, let found):
            self.init(place: place, .notFinite, "a finite number", found)
        case .raggedRows(let place, let expected, let found):
            self = .raggedRows(place, expected, found)
        case .emptyRows(let place):
            self.init(.emptyRows, place, "\(place.path) has no entries; a row needs at least one")
        case .wrongShape(let field, let expected, let found):
            self.init(place: .init(field), .wrongShape, expected, found)
        case .wrongBodyLength(let expected, let found): self = .wrongBodyLength(expected, found)
        case .tooManyElements(let field, let limit): self = .tooManyElements(field, limit)
        case .noSuchProcedure(let name, let procedure):
            self.init(
                .noSuchDirection, field: "operator", "operator \(name) has no \(procedure)")
        case .tooFewFiniteEntries(let row, let k, let finiteCount, let canShrink):
            self = .tooFewFiniteEntries(row, k, finiteCount, canShrink: canShrink)
        case .incompatible(let name, let reason):
            self.init(
                .incompatibleParameters, field: name,
                "\(name) does not go with the rest: \(reason)")
        case .widthTooSmall(let needed, let width): self = .widthTooSmall(needed, width)
        case .invalidEncodedBody(let reason):
            self.init(
                .invalidEncodedBody, field: "Content-Encoding",
                "the body is not what Content-Encoding says: \(reason)")
        case .inflatedBodyTooLarge(let limit):
            self.init(
                .bodyTooLarge, field: "Content-Encoding",
                "the body becomes larger than \(limit) bytes (serve --body-bytes-max)")
        case .answerTooLarge(let byteCount, let limit): self = .answerTooLarge(byteCount, limit)
        case .workTooLarge(let byteCount): self = .workTooLarge(byteCount)
        case .deadlinePassed(let stage): self = .deadlinePassed(stage)
        case .overloaded(let resource): self = .overloaded(resource)
        case .draining:
            self.init(.draining, "the service is shutting down; use another replica")
        case .internalError:
            self.init(.internalError, "a bug of the service; please report it with the request id")
        }
    }

    private init(_ code: ProblemCode, field: String, _ detail: String) {
        self.init(code, detail)
        self.field = field
    }

    private init(
        place: ServiceError.Place, _ code: ProblemCode, _ expected: String, _ found: String
    ) {
        self.init(
            code, place, "\(place.path) must be \(expected), and is \(found)", expected: expected,
            found: found)
    }
}

/// Longer sentences.
extension Problem {
    private static func unknownParameter(_ name: String, _ known: [String]) -> Problem {
        Problem(
            .unknownParameter, field: String(name.prefix(100)),
            "there is no parameter \(name.prefix(100)); "
                + "there are \(known.joined(separator: ", "))")
    }

    private static func missingParameter(_ name: String, _ expected: String) -> Problem {
        var problem = Problem(
            .missingParameter, field: name, "\(name) is missing: \(expected)")
        problem.expected = expected
        return problem
    }

    private static func unknownOperator(_ name: String, _ known: [String]) -> Problem {
        let words = known.joined(separator: ", ")
        var problem = Problem(
            .unknownOperator, field: "operator",
            "there is no operator \(name.prefix(100)); there are \(words)")
        problem.expected = words
        return problem
    }

    private static func raggedRows(
        _ place: ServiceError.Place, _ expected: Int, _ found: Int
    ) -> Problem {
        Problem(
            .raggedRows, place,
            "\(place.path) has \(found) entries, the rows before it have \(expected)",
            expected: "\(expected) entries", found: "\(found) entries")
    }

    private static func wrongBodyLength(_ expected: String, _ found: Int) -> Problem {
        Problem(
            .wrongBodyLength, .init("body"), "the body must be \(expected), and is \(found) bytes",
            expected: expected, found: "\(found) bytes")
    }

    private static func tooManyElements(_ field: String, _ limit: Int) -> Problem {
        Problem(
            .tooManyElements, .init(field), "\(field) asks for more than \(limit) bytes of numbers",
            expected: "at most \(limit) bytes")
    }

    private static func tooFewFiniteEntries(
        _ row: Int, _ k: Int, _ finiteCount: Int, canShrink: Bool
    ) -> Problem {
        var problem = Problem(
            .tooFewFiniteEntries, field: "x",
            "row \(row) of x has \(finiteCount) finite entries, fewer than the \(k) to select; "
                + (canShrink ? "select fewer, or give short_rows = shrink" : "select fewer"))
        problem.row = row
        return problem
    }

    private static func widthTooSmall(_ needed: Int, _ width: Int) -> Problem {
        Problem(
            .widthTooSmall, .init("width"),
            "a row of the answer has \(needed) entries, width is \(width); leave it out, or "
                + "give \(needed) or more",
            expected: "at least \(needed)", found: "\(width)")
    }

    private static func answerTooLarge(_ byteCount: Int, _ limit: Int) -> Problem {
        var problem = Problem(
            .answerTooLarge,
            "the answer may take \(byteCount) bytes, and \(limit) at most is given (serve "
                + "--inflight-bytes-max); ask for fewer rows, csr, or octet-stream")
        problem.expected = "at most \(limit) bytes"
        return problem
    }

    private static func workTooLarge(_ byteCount: Int) -> Problem {
        Problem(
            .answerTooLarge,
            "computing takes \(byteCount) bytes, more than there are now (serve "
                + "--inflight-bytes-max); ask for less, or try again")
    }

    private static func deadlinePassed(_ stage: Stage) -> Problem {
        Problem(
            .deadlinePassed,
            "the deadline passed in the stage \(stage.rawValue) (Topk-Timeout-Ms, or serve "
                + "--request-timeout-seconds)")
    }

    private static func overloaded(_ resource: ServiceError.Resource) -> Problem {
        Problem(
            .overloaded,
            resource == .queue
                ? "the queue is full; try again after Retry-After seconds"
                : "the memory for requests is in use; try again after Retry-After seconds")
    }
}
