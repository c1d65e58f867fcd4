import FoundationEssentials
import Inference
import MicroHTTPD
import Operators

/// The stable codes of error answers. Clients may branch on them: never rename one.
package enum ProblemCode: String, CaseIterable, Sendable {
    case invalidHeader = "invalid_header"
    case invalidTarget = "invalid_target"
    case invalidJSON = "invalid_json"
    case duplicateKey = "duplicate_key"
    case tooDeep = "too_deep"
    case numberTooLarge = "number_too_large"
    case invalidQuery = "invalid_query"
    case misplacedParameter = "misplaced_parameter"
    case invalidEncodedBody = "invalid_encoded_body"
    /// The client had closed its end before its answer was computed.
    case clientGone = "client_gone"
    case unauthorized
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case notAcceptable = "not_acceptable"
    case lengthRequired = "length_required"
    case bodyTooLarge = "body_too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case unsupportedContentEncoding = "unsupported_content_encoding"
    case unknownParameter = "unknown_parameter"
    case unknownOperator = "unknown_operator"
    case missingParameter = "missing_parameter"
    case wrongType = "wrong_type"
    case outOfRange = "out_of_range"
    case raggedRows = "ragged_rows"
    case emptyRows = "empty_rows"
    case wrongShape = "wrong_shape"
    case wrongBodyLength = "wrong_body_length"
    case tooManyElements = "too_many_elements"
    case noSuchDirection = "no_such_direction"
    case notFinite = "not_finite"
    case tooFewFiniteEntries = "too_few_finite_entries"
    case incompatibleParameters = "incompatible_parameters"
    case widthTooSmall = "width_too_small"
    case answerTooLarge = "answer_too_large"
    case internalError = "internal_error"
    case unsupportedTransferEncoding = "unsupported_transfer_encoding"
    case overloaded
    case draining
    case deadlinePassed = "deadline_passed"

    package var status: Int {
        switch self {
        case .invalidHeader, .invalidTarget, .invalidJSON, .duplicateKey, .tooDeep,
            .numberTooLarge, .invalidQuery, .misplacedParameter, .invalidEncodedBody,
            .clientGone:
            400
        case .unauthorized: 401
        case .notFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .lengthRequired: 411
        case .bodyTooLarge: 413
        case .unsupportedMediaType, .unsupportedContentEncoding: 415
        case .unknownParameter, .unknownOperator, .missingParameter, .wrongType, .outOfRange,
            .raggedRows, .emptyRows, .wrongShape, .wrongBodyLength, .tooManyElements,
            .noSuchDirection, .notFinite, .tooFewFiniteEntries, .incompatibleParameters,
            .widthTooSmall, .answerTooLarge:
            422
        case .internalError: 500
        case .unsupportedTransferEncoding: 501
        case .overloaded, .draining: 503
        case .deadlinePassed: 504
        }
    }

    /// The reason phrase of the status.
    var title: String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Internal Server Error"
        }
    }
}

/// An error answer, RFC 9457 problem+json.
struct Problem: Encodable {
    static let mediaType = "application/problem+json"

    let code: ProblemCode
    let detail: String
    var field: String?
    var cotangent: Int?
    var tangent: Int?
    var row: Int?
    var column: Int?
    var expected: String?
    var found: String?
    var requestID = ""
    /// For 405.
    var allow: [String] = []

    init(_ code: ProblemCode, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// Fields whose last axis is a row's; a list of anything else has an entry for each row.
    private static let arrays: Set<String> = Set(
        ["x", "cotangent", "tangent"]
            + Registry.all.flatMap { op in op.descriptor.inputs.map { $0.name } })

    init(
        _ code: ProblemCode, _ place: ServiceError.Place, _ detail: String, expected: String? = nil,
        found: String? = nil
    ) {
        self.code = code
        self.detail = detail
        self.expected = expected
        self.found = found
        field = place.field
        guard !place.position.isEmpty else { return }
        if Self.arrays.contains(place.field) {
            // The last axis is the column; a shorter position names a whole row.
            let outermost: WritableKeyPath<Problem, Int?> =
                place.field == "tangent" ? \.tangent : \.cotangent
            let inner: [WritableKeyPath<Problem, Int?>] =
                place.form.hasRows ? [\.row, \.column] : [\.column]
            var names = [outermost] + inner
            let axes = place.axes - (place.form.isMatrix ? 1 : 0)
            names.removeFirst(max(0, names.count - axes))
            for (name, index) in zip(names, place.position) { self[keyPath: name] = index }
        } else {
            row = place.position[0]
        }
    }

    private enum Key: String, CodingKey {
        case type, title, status, code, detail, field, cotangent, tangent, row, column, expected,
            found
        case requestID = "request_id"
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode("about:blank", forKey: .type)
        try object.encode(code.title, forKey: .title)
        try object.encode(code.status, forKey: .status)
        try object.encode(code.rawValue, forKey: .code)
        try object.encode(detail, forKey: .detail)
        try object.encodeIfPresent(field, forKey: .field)
        try object.encodeIfPresent(cotangent, forKey: .cotangent)
        try object.encodeIfPresent(tangent, forKey: .tangent)
        try object.encodeIfPresent(row, forKey: .row)
        try object.encodeIfPresent(column, forKey: .column)
        try object.encodeIfPresent(expected, forKey: .expected)
        try object.encodeIfPresent(found, forKey: .found)
        try object.encode(requestID, forKey: .requestID)
    }

    /// A client's words come back in messages; more than these bytes of each help nobody.
    private static let textBytesMax = 1000

    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > textBytesMax else { return text }
        // By scalars: a single character can be of any length.
        var kept = String.UnicodeScalarView()
        var byteCount = 0
        for scalar in text.unicodeScalars {
            byteCount += UTF8.width(scalar)
            if byteCount > textBytesMax { break }
            kept.append(scalar)
        }
        return String(kept) + "..."
    }

    /// The HTTP answer.
    func reply(requestID: String) -> Reply {
        var problem = Problem(code, Self.shortened(detail))
        problem.field = field.map(Self.shortened)
        problem.expected = expected.map(Self.shortened)
        problem.found = found.map(Self.shortened)
        (problem.cotangent, problem.tangent) = (cotangent, tangent)
        (problem.row, problem.column) = (row, column)
        problem.requestID = requestID
        let reply = Reply(
            status: code.status, contentType: Self.mediaType, text: JSONText.encode(problem))
        if code.status == 503 { reply.add("Retry-After", "\(Limits.retryAfterSeconds)") }
        if code == .unauthorized { reply.add("WWW-Authenticate", "Bearer") }
        if !allow.isEmpty { reply.add("Allow", allow.joined(separator: ", ")) }
        return reply
    }
}

/// Encodable values as one line of JSON with sorted keys.
enum JSONText {
    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("values of ours are always encodable")
        }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
