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

/// One media type, both ways. Stateless, down to having no stored properties: what holds a codec is
/// copied often. Scratch lies in the worker.
package protocol Codec: Sendable {
    /// The metric label.
    var name: String { get }
    var mediaType: String { get }
    /// Whether requests' numbers stay where they were received.
    var readsInPlace: Bool { get }
    /// Bytes that decoding may allocate beside a body of this size.
    func workingBytes(bodyBytes: Int) -> Int
    /// Bytes that have to be readable past the body's end.
    var paddingBytes: Int { get }
    /// What looks at a body of so many bytes while it arrives; nil where that gains nothing.
    func arrivalCheck(_ message: Message, byteCount: Int, _ pool: BufferPool) -> ArrivalCheck?
    /// Runs on a worker. O(body).
    func decode(_ message: Message, _ worker: Worker, _ pool: BufferPool) throws(ServiceError)
        -> InferenceRequest
    /// Runs on a worker. O(answer).
    func encode(_ result: InferenceResult, _ pool: BufferPool) throws(ServiceError) -> RawBuffer
    /// What the answer's headers say of it, beside its media type.
    func headers(of result: InferenceResult, _ add: (StaticString, String) -> Void)
}

extension Codec {
    package func arrivalCheck(_ message: Message, byteCount: Int, _ pool: BufferPool)
        -> ArrivalCheck?
    { nil }
}

/// Every codec that the service has.
package enum CodecRegistry {
    /// One line a codec. The first is the default of a client that states no preference.
    package static let all: [any Codec] = [
        JSONCodec(),
        OctetStreamCodec(),
    ]

    /// The codec for a media type without parameters, in lower case.
    package static func find(mediaType: String) -> (any Codec)? {
        all.first { $0.mediaType == mediaType }
    }
}
