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
    package var title: String {
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
