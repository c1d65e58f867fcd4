import MicroHTTPD

/// One path of the service, or a pattern of paths, and what it does.
package struct Route: Sendable {
    /// "/topk", or "/models/{name}/infer".
    package let pattern: String
    package let action: Action
    /// Whether it is answered without a token.
    package let isPublic: Bool
    /// Whether a listener for health and metrics has it.
    package let isForProbes: Bool
    /// Whose errors it answers with.
    package let owner: any ServiceProtocol

    package enum Action: Sendable {
        case page(any Page)
        case invoke(any Invoker)
    }

    package init(
        _ pattern: String, _ action: Action, _ owner: any ServiceProtocol, isPublic: Bool = false,
        isForProbes: Bool = false
    ) {
        self.pattern = pattern
        self.action = action
        self.owner = owner
        self.isPublic = isPublic
        self.isForProbes = isForProbes
    }

    /// For Allow: GET answers HEAD, too.
    package var allow: [String] {
        switch action {
        case .page: Self.reading
        case .invoke: Self.computing
        }
    }

    private static let reading = ["GET", "HEAD"]
    private static let computing = ["POST"]
}

extension Route {
    /// "POST" or "GET".
    package var method: String { allow[0] }

    /// Media types of a 200.
    package var mediaTypes: [String] {
        switch action {
        case .page(let page): [page.mediaType]
        case .invoke(let invoker): invoker.mediaTypes
        }
    }

    /// Every problem that can be answered here.
    package var problems: [ProblemCode] {
        switch action {
        case .invoke:
            // Unknown paths and methods are no one's operation.
            ProblemCode.allCases.filter { ![.notFound, .methodNotAllowed].contains($0) }
        case .page(let page):
            [
                .invalidHeader, .invalidTarget, .lengthRequired, .bodyTooLarge,
                .unsupportedTransferEncoding,
            ] + (isPublic ? [] : [.unauthorized]) + page.problems
        }
    }

    /// 200 and the problems' statuses, ascending.
    package var statuses: [Int] { Set(problems.map { $0.status } + [200]).sorted() }
}

/// What answers GET.
package protocol Page: Sendable {
    /// Of a 200.
    var mediaType: String { get }
    /// What it can refuse beside what any page can.
    var problems: [ProblemCode] { get }
    /// Errors: nothing but what keeps the page from being true now.
    func reply(_ captures: [String]) throws(Problem) -> Reply
}

extension Problem: Error {}
