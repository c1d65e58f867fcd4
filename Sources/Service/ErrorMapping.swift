import Inference
import MicroHTTPD
import Operators

/// Why a request was refused by its header alone.
enum HeaderRefusal: Error {
    case fault(HeaderFault)
    /// No token, or one that is not known.
    case unauthorized(isMissing: Bool)
    case invalidTimeout(found: String)
    case notFound(path: String, known: [String])
    case methodNotAllowed(method: String, allow: [String])
    case notAcceptable(accept: String)
    case lengthRequired
    case bodyTooLarge(byteCount: Int, limit: Int)
    case unsupportedMediaType(found: String?)
    case unsupportedContentEncoding(found: String)
}

extension Problem {
    /// The one place where header refusals become answers.
    init(_ refusal: HeaderRefusal) {
        switch refusal {
        case .fault(let fault):
            self.init(fault)
        case .unauthorized(let isMissing):
            self.init(
                .unauthorized,
                (isMissing ? "there is no token" : "the token is not known")
                    + "; send Authorization: Bearer and one of those of serve --token-file")
            field = "Authorization"
        case .invalidTimeout(let found):
            self.init(
                .invalidHeader,
                "Topk-Timeout-Ms must be milliseconds from 1 to "
                    + "\(Limits.clientTimeoutMillisecondsMax), and is \(found.prefix(40))")
            field = "Topk-Timeout-Ms"
        case .notFound(let path, let known):
            self.init(
                .notFound,
                "there is no \(path.prefix(200)); there are \(known.joined(separator: ", "))")
        case .methodNotAllowed(let method, let allow):
            self.init(
                .methodNotAllowed, "\(method.prefix(40)) is not for this path; use \(allow[0])")
            self.allow = allow
        case .notAcceptable(let accept):
            self.init(
                .notAcceptable,
                "Accept: \(accept.prefix(200)) allows none of \(Negotiation.mediaTypes)")
            field = "Accept"
        case .lengthRequired:
            self.init(.lengthRequired, "send a Content-Length; chunked bodies are not taken")
            field = "Content-Length"
        case .bodyTooLarge(let byteCount, let limit):
            self.init(
                .bodyTooLarge,
                "the body has \(byteCount) bytes, the limit for this type is \(limit) "
                    + "(serve --body-bytes-max, --inflight-bytes-max)"
            )
            field = "Content-Length"
        case .unsupportedMediaType(let found):
            let named = found.map { "Content-Type: \($0.prefix(200)) is not taken" }
            self.init(
                .unsupportedMediaType,
                "\(named ?? "there is no Content-Type"); "
                    + "with curl add -H 'Content-Type: application/json' "
                    + "(or application/octet-stream for raw numbers)")
            field = "Content-Type"
            expected = Negotiation.mediaTypes
        case .unsupportedContentEncoding(let encoding):
            self.init(
                .unsupportedContentEncoding,
                "Content-Encoding: \(encoding.prefix(40)) is not taken; send gzip, deflate, or the "
                    + "body as it is")
            field = "Content-Encoding"
        }
    }

    private init(_ fault: HeaderFault) {
        switch fault {
        case .repeatedContentLength:
            self.init(.invalidHeader, "Content-Length came more than once")
            field = "Content-Length"
        case .invalidContentLength:
            self.init(.invalidHeader, "Content-Length must be decimal digits, at most 18")
            field = "Content-Length"
        case .contentLengthWithTransferEncoding:
            self.init(.invalidHeader, "Content-Length and Transfer-Encoding exclude each other")
            field = "Transfer-Encoding"
        case .unsupportedTransferEncoding:
            self.init(
                .unsupportedTransferEncoding, "no Transfer-Encoding but a single chunked is known")
            field = "Transfer-Encoding"
        case .repeatedHost:
            self.init(.invalidHeader, "Host came more than once")
            field = "Host"
        case .missingHost:
            self.init(.invalidHeader, "HTTP/1.1 asks for a Host header")
            field = "Host"
        case .repeatedHeader(let name):
            self.init(.invalidHeader, "\(name) came more than once")
            field = name
        case .invalidName:
            self.init(.invalidHeader, "a header's name is not a token (a space before its colon?)")
        case .invalidValue:
            self.init(.invalidHeader, "a header's value holds a control byte")
        case .invalidLine:
            self.init(
                .invalidHeader,
                "a header line is folded, or has a NUL, no CR before its LF or no name")
        case .invalidTarget:
            self.init(
                .invalidTarget, "the request target holds a NUL, a space or a byte beyond ASCII")
        }
    }

    /// The one place where service errors become answers.
    init(_ error: ServiceError) {
        switch error {
        case .invalidJSON(let reason):
            self.init(.invalidJSON, "the body is not the JSON that is taken here: \(reason)")
        case .duplicateKey(let name):
            self.init(.duplicateKey, "\(name) is given more than once")
            field = name
        case .nestedTooDeep(let place):
            self.init(.tooDeep, place, "\(place.path) is nested too deep")
        case .numberBeyondDouble(let place):
            self.init(.numberTooLarge, place, "\(place.path) is a number beyond float64")
        case .invalidQuery(let reason):
            self.init(.invalidQuery, "the query cannot be read: \(reason)")
        case .misplacedParameter(let name, let belongs):
            self.init(.misplacedParameter, "\(name) does not belong here, but in \(belongs)")
            field = name
        case .unknownParameter(let name, let known):
            self.init(
                .unknownParameter,
                "there is no parameter \(name.prefix(100)); "
                    + "there are \(known.joined(separator: ", "))"
            )
            field = String(name.prefix(100))
        case .unknownOperator(let name, let known):
            let words = known.joined(separator: ", ")
            self.init(
                .unknownOperator, "there is no operator \(name.prefix(100)); there are \(words)")
            field = "operator"
            expected = words
        case .missingParameter(let name, let expected):
            self.init(.missingParameter, "\(name) is missing: \(expected)")
            field = name
            self.expected = expected
        case .wrongType(let place, let expected, let found):
            self.init(place: place, .wrongType, expected, found)
        case .outOfRange(let place, let expected, let found):
            self.init(place: place, .outOfRange, expected, found)
        case .notFinite(let place, let found):
            self.init(place: place, .notFinite, "a finite number", found)
        default:
            self.init(shapeOrService: error)
        }
    }

    private init(
        place: ServiceError.Place, _ code: ProblemCode, _ expected: String, _ found: String
    ) {
        self.init(
            code, place, "\(place.path) must be \(expected), and is \(found)", expected: expected,
            found: found)
    }

    private init(shapeOrService error: ServiceError) {
        switch error {
        case .raggedRows(let place, let expected, let found):
            self.init(
                .raggedRows, place,
                "\(place.path) has \(found) entries, the rows before it have \(expected)",
                expected: "\(expected) entries", found: "\(found) entries")
        case .emptyRows(let place):
            self.init(.emptyRows, place, "\(place.path) has no entries; a row needs at least one")
        case .wrongShape(let field, let expected, let found):
            self.init(place: .init(field), .wrongShape, expected, found)
        case .wrongBodyLength(let expected, let found):
            self.init(
                .wrongBodyLength, .init("body"),
                "the body must be \(expected), and is \(found) bytes",
                expected: expected, found: "\(found) bytes")
        case .tooManyElements(let field, let limit):
            self.init(
                .tooManyElements, .init(field),
                "\(field) asks for more than \(limit) bytes of numbers",
                expected: "at most \(limit) bytes")
        case .noSuchDirection(let name, let direction):
            self.init(.noSuchDirection, "operator \(name) has no \(direction.rawValue)")
            field = "operator"
        case .tooFewFiniteEntries(let row, let k, let finiteCount, let canShrink):
            self.init(
                .tooFewFiniteEntries,
                "row \(row) of x has \(finiteCount) finite entries, fewer than the \(k) to select; "
                    + (canShrink ? "select fewer, or give short_rows = shrink" : "select fewer"))
            field = "x"
            self.row = row
        case .incompatible(let name, let reason):
            self.init(.incompatibleParameters, "\(name) does not go with the rest: \(reason)")
            field = name
        case .widthTooSmall(let needed, let width):
            self.init(
                .widthTooSmall, .init("width"),
                "a row of the answer has \(needed) entries, width is \(width); leave it out, or "
                    + "give \(needed) or more",
                expected: "at least \(needed)", found: "\(width)")
        case .invalidEncodedBody(let reason):
            self.init(.invalidEncodedBody, "the body is not what Content-Encoding says: \(reason)")
            field = "Content-Encoding"
        case .inflatedBodyTooLarge(let limit):
            self.init(
                .bodyTooLarge,
                "the body becomes larger than \(limit) bytes (serve --body-bytes-max)")
            field = "Content-Encoding"
        case .answerTooLarge(let byteCount, let limit):
            self.init(
                .answerTooLarge,
                "the answer may take \(byteCount) bytes, and \(limit) at most is given (serve "
                    + "--inflight-bytes-max); ask for fewer rows, csr, or octet-stream")
            expected = "at most \(limit) bytes"
        case .deadlinePassed(let stage):
            self.init(
                .deadlinePassed,
                "the deadline passed in the stage \(stage.rawValue) (Topk-Timeout-Ms, or serve "
                    + "--request-timeout-seconds)")
        case .overloaded(let resource):
            self.init(
                .overloaded,
                resource == .queue
                    ? "the queue is full; try again after Retry-After seconds"
                    : "the memory for requests is in use; try again after Retry-After seconds")
        case .draining:
            self.init(.draining, "the service is shutting down; use another replica")
        default:
            self.init(.internalError, "a bug of the service; please report it with the request id")
        }
    }
}
