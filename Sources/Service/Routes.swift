import Operators

/// What a path does.
package enum Endpoint: Sendable, Equatable {
    case compute(Direction)
    case live
    case ready
    case health
    case metrics
    case operators
    case openAPIText
    case openAPIJSON

    /// Whether it is answered without a token.
    package var isPublic: Bool { [.live, .ready, .health].contains(self) }

    /// Whether a listener for health and metrics has it.
    package var isForProbes: Bool { isPublic || self == .metrics }

    package var method: String {
        if case .compute = self { "POST" } else { "GET" }
    }

    /// Media types of a 200.
    package var mediaTypes: [String] {
        switch self {
        case .compute: ["application/json", "application/octet-stream"]
        case .live, .ready, .metrics: ["text/plain"]
        case .health, .operators, .openAPIJSON: ["application/json"]
        case .openAPIText: ["application/yaml"]
        }
    }

    /// Every problem that a handler of ours can answer here, for the contract test.
    package var problems: [ProblemCode] {
        let anywhere: [ProblemCode] =
            [
                .invalidHeader, .invalidTarget, .lengthRequired, .bodyTooLarge,
                .unsupportedTransferEncoding,
            ] + (isPublic ? [] : [.unauthorized])
        switch self {
        case .compute:
            // Unknown paths and methods are no one's operation.
            return ProblemCode.allCases.filter { ![.notFound, .methodNotAllowed].contains($0) }
        case .ready: return anywhere + [.draining]
        default: return anywhere
        }
    }

    /// 200 and the problems' statuses, ascending.
    package var statuses: [Int] { Set(problems.map { $0.status } + [200]).sorted() }
}

/// One path of the service.
package struct Route: Sendable {
    package let path: String
    package let endpoint: Endpoint

    /// The whole HTTP surface. openapi.yaml lists the same, and a test compares them.
    package static let all = [
        Route(path: "/topk", endpoint: .compute(.forward)),
        Route(path: "/topk/vjp", endpoint: .compute(.vjp)),
        Route(path: "/topk/jvp", endpoint: .compute(.jvp)),
        Route(path: "/livez", endpoint: .live),
        Route(path: "/readyz", endpoint: .ready),
        Route(path: "/healthz", endpoint: .health),
        Route(path: "/metrics", endpoint: .metrics),
        Route(path: "/operators", endpoint: .operators),
        Route(path: "/openapi.yaml", endpoint: .openAPIText),
        Route(path: "/openapi.json", endpoint: .openAPIJSON),
    ]

    static func find(_ path: String) -> Route? { all.first { $0.path == path } }

    /// For Allow: GET answers HEAD, too.
    var allow: [String] { endpoint.method == "GET" ? Self.reading : Self.computing }

    private static let reading = ["GET", "HEAD"]
    private static let computing = ["POST"]
}
