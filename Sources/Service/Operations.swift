import CContract
import Execution
import Metrics
import MicroHTTPD
import Operators
import Protocols

/// The answers to GET: health, metrics, metadata.
struct Operations {
    private let pages: [(String, OperationsPage.Content, isPublic: Bool)]
    private let owner: any ServiceProtocol

    /// - Parameters:
    ///   - metrics: what /metrics shows.
    ///   - isDraining: whether /readyz says no.
    init(
        _ doors: Doors, metrics: @escaping @Sendable () -> [any Metric],
        isDraining: @escaping @Sendable () -> Bool
    ) {
        let operators = JSONText.encode(
            OperatorPage(operators: doors.catalog.operators.map { OperatorInfo($0) }))
        owner = doors.fallback
        pages = [
            ("/livez", .text("ok\n"), true),
            ("/readyz", .ready(isDraining), true),
            ("/healthz", .json(JSONText.encode(Health())), true),
            ("/metrics", .metrics(metrics), false),
            ("/operators", .json(operators), false),
            ("/openapi.yaml", .contract, false),
            ("/openapi.json", .json(String(decoding: Contract.json, as: UTF8.self)), false),
        ]
    }

    var routes: [Route] {
        pages.map { pattern, content, isPublic in
            Route(
                pattern, .page(OperationsPage(content)), owner, isPublic: isPublic,
                isForProbes: isPublic || pattern == "/metrics")
        }
    }

    private struct Health: Encodable {
        let status = "ok"
        let version = Version.current
    }
}

/// One of them.
struct OperationsPage: Page {
    enum Content: Sendable {
        case text(String)
        case ready(@Sendable () -> Bool)
        case json(String)
        case metrics(@Sendable () -> [any Metric])
        case contract
    }

    private let content: Content

    init(_ content: Content) { self.content = content }

    func reply(_ captures: [String]) throws(Problem) -> Reply {
        let plain = "text/plain; charset=utf-8"
        switch content {
        case .text(let text): return Reply(status: 200, contentType: plain, text: text)
        case .ready(let isDraining):
            if isDraining() { throw Problem(ServiceError.draining) }
            return Reply(status: 200, contentType: plain, text: "ok\n")
        case .json(let text):
            return Reply(status: 200, contentType: "application/json", text: text)
        case .metrics(let metrics):
            return Reply(
                status: 200, contentType: Exposition.contentType,
                text: Exposition.render(metrics()))
        case .contract:
            return Reply(
                status: 200, contentType: "application/yaml",
                text: String(decoding: Contract.yaml, as: UTF8.self))
        }
    }

    var mediaType: String {
        switch content {
        case .text, .ready, .metrics: "text/plain"
        case .json: "application/json"
        case .contract: "application/yaml"
        }
    }

    /// What it can refuse beside what any page can.
    var problems: [ProblemCode] {
        if case .ready = content { [.draining] } else { [] }
    }
}

/// openapi.yaml, and the same as JSON, as they were when this was compiled.
package enum Contract {
    package static var yaml: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: CContract_yaml(), count: CContract_yaml_size())
    }

    package static var json: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: CContract_json(), count: CContract_json_size())
    }
}
