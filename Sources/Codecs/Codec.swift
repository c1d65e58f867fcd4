import Inference
import Operators

/// What a codec decodes from.
package struct Message: Sendable {
    package let direction: Direction
    /// The body; `body.count` bytes.
    package let body: RawBuffer
    package let query: Query
    /// What was found while the body arrived, where somebody looked.
    package var arrival: ArrivalCheck?

    package init(
        direction: Direction, body: RawBuffer, query: Query, arrival: ArrivalCheck? = nil
    ) {
        self.direction = direction
        self.body = body
        self.query = query
        self.arrival = arrival
    }
}

/// One media type, both ways. Stateless, and never made: its type is copied without a function of
/// its own being called for it. Scratch lies in the worker.
package protocol Codec: Sendable {
    /// The metric label.
    static var name: String { get }
    static var mediaType: String { get }
    /// Whether requests' numbers stay where they were received.
    static var readsInPlace: Bool { get }
    /// Bytes that decoding may allocate beside a body of this size.
    static func workingBytes(bodyBytes: Int) -> Int
    /// Bytes that have to be readable past the body's end.
    static var paddingBytes: Int { get }
    /// What looks at a body of so many bytes while it arrives; nil where that gains nothing.
    static func arrivalCheck(_ message: Message, byteCount: Int, _ pool: BufferPool)
        -> ArrivalCheck?
    /// Runs on a worker. O(body).
    static func decode(_ message: Message, _ worker: Worker, _ pool: BufferPool)
        throws(ServiceError)
        -> InferenceRequest
    /// Runs on a worker. O(answer).
    static func encode(_ result: borrowing InferenceResult, _ pool: BufferPool) throws(ServiceError)
        -> RawBuffer
    /// Bytes of the answer, where these and its headers follow from form, nonzeros and width alone;
    /// nil elsewhere.
    static func byteCount(of result: borrowing InferenceResult) -> Int?
    /// Writes an answer of which `byteCount(of:)` knows the length. O(answer).
    static func write(_ result: borrowing InferenceResult, to memory: UnsafeMutableRawPointer)
    /// What the answer's headers say of it, beside its media type.
    static func headers(of result: borrowing InferenceResult, _ add: (StaticString, String) -> Void)
}

extension Codec {
    package static func arrivalCheck(_ message: Message, byteCount: Int, _ pool: BufferPool)
        -> ArrivalCheck?
    { nil }

    package static func byteCount(of result: borrowing InferenceResult) -> Int? { nil }

    package static func write(
        _ result: borrowing InferenceResult, to memory: UnsafeMutableRawPointer
    ) {
        preconditionFailure("only the answer's text knows its length")
    }
}

/// Every codec that the service has.
package enum CodecRegistry {
    /// One line a codec. The first is the default of a client that states no preference.
    package static let all: [any Codec.Type] = [
        JSONCodec.self,
        OctetStreamCodec.self,
    ]

    /// The codec for a media type without parameters, in lower case.
    package static func find(mediaType: String) -> (any Codec.Type)? {
        all.first { $0.mediaType == mediaType }
    }
}
