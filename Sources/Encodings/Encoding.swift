import Execution
import Operators

/// What an encoding reads from.
package struct Message {
    /// The body; `body.count` bytes.
    package let body: RawBuffer
    /// The query's items, for encodings whose bodies hold numbers only.
    package let query: Query

    package init(body: RawBuffer, query: Query) {
        self.body = body
        self.query = query
    }
}

/// Named tensors as bytes of one media type, both ways. Stateless, and never made: its type is
/// handed on.
package protocol Encoding: Sendable {
    /// The metric label.
    static var name: String { get }
    static var mediaType: String { get }
    /// Whether bodies behind this query are the bare numbers of x, followed by those that are
    /// stacked on it: `PreparedRequest` can read those. `open` is then also called before the
    /// body is here: it may look at the body's length, never at its bytes.
    static func isBare(_ query: Query) -> Bool
    /// Whether it carries documents.
    static var carriesDocuments: Bool { get }
    /// Bytes that reading may allocate beside a body of this size.
    static func workingBytes(bodyBytes: Int) -> Int
    /// Bytes that have to be readable past the body's end.
    static var paddingBytes: Int { get }
    /// Opens a request. O(body) at most.
    ///
    /// - Parameter scratch: whatever the encoding keeps for the next one, per thread.
    static func open(
        _ message: Message, _ scratch: inout AnyObject, _ pool: BufferPool
    ) throws(ServiceError) -> any TensorSource
    /// Writes an answer. O(answer).
    static func encode(
        _ result: borrowing InvocationResult, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer
    /// What the answer's headers say of it, beside its media type.
    static func headers(
        of result: borrowing InvocationResult, _ add: (StaticString, String) -> Void)
}

/// The safe defaults: a copy is read, by its own rules.
extension Encoding {
    package static func isBare(_ query: Query) -> Bool { false }
    package static var carriesDocuments: Bool { false }
    package static func workingBytes(bodyBytes: Int) -> Int { bodyBytes }
    package static var paddingBytes: Int { 0 }
    package static func headers(
        of result: borrowing InvocationResult, _ add: (StaticString, String) -> Void
    ) {}
}

/// Every encoding that the service has.
package enum EncodingRegistry {
    /// One line an encoding. The first is the default of a client that states no preference.
    package static let all: [any Encoding.Type] = [
        JSONEncoding.self,
        RawEncoding.self,
    ]
}
