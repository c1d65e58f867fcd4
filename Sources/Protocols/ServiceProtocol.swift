import Encodings
import Execution
import MicroHTTPD
import Operators

/// How one kind of client speaks to the service: its routes, its envelope, its answers and its
/// errors. It makes an `Invocation` of what comes, by `InvocationBuilder` like all others, and
/// writes what comes of it.
package protocol ServiceProtocol: Sendable {
    /// What it serves of these procedures, in these encodings. Called at the start.
    func routes(_ catalog: Catalog, _ encodings: [any Encoding.Type]) -> [Route]
    /// The answer to whatever is refused on its routes.
    func reply(_ problem: Problem, requestID: String) -> Reply
}

/// Every protocol that the service speaks.
package enum ProtocolRegistry {
    /// One line a protocol. The first answers paths that are nobody's.
    package static let all: [any ServiceProtocol] = [
        NativeProtocol()
    ]
}

/// What computes behind a route: chooses, by the header, how client and service talk.
package protocol Invoker: Sendable {
    /// Media types of requests and answers.
    var mediaTypes: [String] { get }
    /// Runs on a thread that serves connections: decides by the header alone, and quickly.
    func admit(_ head: RequestHead) throws(HeaderRefusal) -> any Dialogue
}

/// What client and service have agreed on by the header: how the body is read, and how the answer
/// is written. One object may serve many requests at a time.
package protocol Dialogue: AnyObject, Sendable {
    /// The encoding of requests, for the metric label and for what reading takes.
    var encoding: any Encoding.Type { get }
    /// "json", or "json>octet-stream" where answers have another: for the log.
    var label: String { get }
    /// The invocation that a body and the target mean.
    func decode(
        _ body: RawBuffer, _ target: RequestTarget, _ scratch: inout AnyObject, _ pool: BufferPool
    ) throws(ServiceError) -> Invocation
    func encode(
        _ result: borrowing InvocationResult, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer
    /// Adds the answer's headers, Content-Type among them.
    func addHeaders(
        of result: borrowing InvocationResult, _ add: (StaticString, String) -> Void)
}

/// A request's header as protocols see it.
package struct RequestHead {
    private let exchange: Exchange
    package let target: RequestTarget

    package init(_ exchange: Exchange, _ target: RequestTarget) {
        self.exchange = exchange
        self.target = target
    }

    package func header(_ name: HeaderName) -> String? { exchange.header(name) }

    /// Whether the header came, and is this text.
    package func header(_ name: HeaderName, equals text: String) -> Bool {
        exchange.header(name, equals: text)
    }
}

/// The headers that mean something here, beside those of HTTP's own framing.
extension HeaderName {
    package static let contentType = HeaderName(4, "content-type", isSingle: true)
    package static let contentEncoding = HeaderName(5, "content-encoding", isSingle: true)
    package static let accept = HeaderName(6, "accept", isSingle: false)
    package static let authorization = HeaderName(7, "authorization", isSingle: true)
    package static let timeout = HeaderName(8, "topk-timeout-ms", isSingle: true)
    package static let requestID = HeaderName(9, "x-request-id", isSingle: false)
    package static let traceparent = HeaderName(10, "traceparent", isSingle: false)

    /// All of them, for the daemon.
    package static let kept: [HeaderName] = [
        contentType, contentEncoding, accept, authorization, timeout, requestID, traceparent,
    ]
}
