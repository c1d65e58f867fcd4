import Execution
import MicroHTTPD

/// Why a request was refused by its header alone.
package enum HeaderRefusal: Error {
    case fault(HeaderFault)
    /// No token, or one that is not known.
    case unauthorized(isMissing: Bool)
    case invalidTimeout(found: String)
    case notFound(path: String, known: [String])
    case methodNotAllowed(method: String, allow: [String])
    /// None of the media types that the route answers.
    case notAcceptable(accept: String, known: String)
    case lengthRequired
    case bodyTooLarge(byteCount: Int, limit: Int)
    case unsupportedMediaType(found: String?, known: String)
    case unsupportedContentEncoding(found: String)
}

extension Problem {
    /// The one place where header refusals become answers.
    package init(_ refusal: HeaderRefusal) {
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
        case .notAcceptable(let accept, let known):
            self.init(
                .notAcceptable,
                "Accept: \(accept.prefix(200)) allows none of \(known)")
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
        case .unsupportedMediaType(let found, let known):
            let named = found.map { "Content-Type: \($0.prefix(200)) is not taken" }
            self.init(
                .unsupportedMediaType,
                "\(named ?? "there is no Content-Type"); "
                    + "with curl add -H 'Content-Type: application/json' "
                    + "(or application/octet-stream for raw numbers)")
            field = "Content-Type"
            expected = known
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
}
