import CContract
import Inference
import Metrics
import MicroHTTPD
import Operators

/// The answers to GET: health, metrics, metadata.
final class Pages: Sendable {
    private let metrics: [any Metric]
    private let operators: String

    init(_ metrics: [any Metric]) {
        self.metrics = metrics
        operators = JSONText.encode(OperatorPage(operators: Registry.all.map { OperatorInfo($0) }))
    }

    func reply(_ endpoint: Endpoint) -> Reply {
        switch endpoint {
        case .live, .ready:
            return Reply(status: 200, contentType: "text/plain; charset=utf-8", text: "ok\n")
        case .health:
            return json(JSONText.encode(Health()))
        case .metrics:
            return Reply(
                status: 200, contentType: Exposition.contentType, text: Exposition.render(metrics))
        case .operators:
            return json(operators)
        case .openAPIText:
            return Reply(
                status: 200, contentType: "application/yaml",
                text: String(decoding: Contract.yaml, as: UTF8.self))
        case .openAPIJSON:
            return json(String(decoding: Contract.json, as: UTF8.self))
        case .compute:
            preconditionFailure("a compute endpoint is no page")
        }
    }

    private func json(_ text: String) -> Reply {
        Reply(status: 200, contentType: "application/json", text: text)
    }

    private struct Health: Encodable {
        let status = "ok"
        let version = Version.current
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
