import CInflate
import Execution
import Operators

/// Content-Encoding of requests.
package enum ContentCoding: String, CaseIterable, Sendable {
    case gzip
    /// zlib's format (RFC 9110 8.4.1.2), which not all who say deflate send.
    case deflate

    /// Between two looks at the deadline: a millisecond or so.
    private static let stepBytes = 1 << 20

    /// The body as it was before it was compressed: at most `limit` bytes, with room for
    /// `paddingBytes` more.
    ///
    /// Grows by doubling, each buffer under the pool's budget: what a few bytes claim to become is
    /// never allocated before it is there. O(what it becomes).
    ///
    /// - Parameter isOver: whether the deadline has passed.
    package func inflate(
        _ body: RawBuffer, limit: Int, paddingBytes: Int, _ pool: BufferPool,
        isOver: () -> Bool = { false }
    ) throws(ServiceError) -> RawBuffer {
        guard let stream = CInflate_open(body.memory, body.count, self == .gzip) else {
            throw .overloaded(.bytes)
        }
        defer { CInflate_close(stream) }
        var capacity = min(limit, max(4096, 4 * body.count))
        var buffer = try take(capacity, paddingBytes, limit, beside: body.capacity, pool)
        while true {
            if isOver() { throw .deadlinePassed(.decode) }
            capacity = min(limit, buffer.capacity - paddingBytes)
            if buffer.count == capacity {
                if capacity == limit { return try finish(stream, buffer, limit, isOver) }
                let larger = try take(
                    min(limit, 2 * capacity), paddingBytes, limit,
                    beside: body.capacity + buffer.capacity, pool)
                larger.memory.copyMemory(from: buffer.memory, byteCount: buffer.count)
                larger.count = buffer.count
                buffer = larger
                continue
            }
            var written = 0
            let room = min(Self.stepBytes, capacity - buffer.count)
            let code = CInflate_read(stream, buffer.memory + buffer.count, room, &written)
            buffer.count += written
            if code == CInflate_end { return buffer }
            if code != CInflate_more { throw Self.damaged }
        }
    }

    private static let damaged = ServiceError.invalidEncodedBody(
        reason: "it is damaged, cut off, or followed by more")

    /// The buffer is as full as it may be: only the end may follow.
    private func finish(
        _ stream: OpaquePointer, _ buffer: RawBuffer, _ limit: Int, _ isOver: () -> Bool
    ) throws(ServiceError) -> RawBuffer {
        var written = 0
        var byte: UInt8 = 0
        while true {
            if isOver() { throw .deadlinePassed(.decode) }
            let code = CInflate_read(stream, &byte, 1, &written)
            if written > 0 { throw .inflatedBodyTooLarge(limit: limit) }
            if code == CInflate_end { return buffer }
            if code != CInflate_more { throw Self.damaged }
        }
    }

    /// - Parameter held: bytes that this request holds meanwhile: with them it may never fit.
    private func take(
        _ byteCount: Int, _ paddingBytes: Int, _ limit: Int, beside held: Int, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        guard let buffer = pool.take(byteCount: byteCount + paddingBytes) else {
            if pool.canEverHold(byteCount: byteCount + paddingBytes, beside: held) {
                throw .overloaded(.bytes)
            }
            throw .inflatedBodyTooLarge(limit: min(limit, byteCount / 2))
        }
        buffer.count = 0
        return buffer
    }
}
