import CInflate
import Inference
import Operators

/// Content-Encoding of requests.
package enum ContentCoding: String, CaseIterable, Sendable {
    case gzip
    /// zlib's format (RFC 9110 8.4.1.2), which not all who say deflate send.
    case deflate

    /// The body as it was before it was compressed: at most `limit` bytes, with room for
    /// `paddingBytes` more.
    ///
    /// Grows by doubling, each buffer under the pool's budget: what a few bytes claim to become is
    /// never allocated before it is there. O(what it becomes).
    package func inflate(
        _ body: RawBuffer, limit: Int, paddingBytes: Int, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        guard let stream = CInflate_open(body.memory, body.count, self == .gzip) else {
            throw .overloaded(.bytes)
        }
        defer { CInflate_close(stream) }
        var buffer = try take(min(limit, max(4096, 4 * body.count)), paddingBytes, pool)
        while true {
            // One byte more than is allowed shows that it is too large.
            let capacity = min(limit + 1, buffer.capacity - paddingBytes)
            var written = 0
            let code = CInflate_read(
                stream, buffer.memory + buffer.count, capacity - buffer.count, &written)
            buffer.count += written
            if buffer.count > limit { throw .inflatedBodyTooLarge(limit: limit) }
            if code == CInflate_end { return buffer }
            guard code == CInflate_more else {
                throw .invalidEncodedBody(reason: "it is damaged, cut off, or followed by more")
            }
            let larger = try take(min(limit + 1, 2 * capacity), paddingBytes, pool)
            larger.memory.copyMemory(from: buffer.memory, byteCount: buffer.count)
            larger.count = buffer.count
            buffer = larger
        }
    }

    private func take(
        _ byteCount: Int, _ paddingBytes: Int, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        guard let buffer = pool.take(byteCount: byteCount + paddingBytes) else {
            throw .overloaded(.bytes)
        }
        buffer.count = 0
        return buffer
    }
}
