import CMicroHTTPD

/// The rest of a large body, which is received to where it stays instead of being copied there from
/// the library's own memory (CMicroHTTPD/receive.c).
///
/// Used on the connection's thread, or after it. `end` before the memory or the socket goes.
final class DirectBody {
    private let stream: OpaquePointer
    private let body: UnsafeMutablePointer<CMicroHTTPD_Body>

    /// Where less is left of a body, there is less to be gained.
    private static let bytesMin = 32_768

    /// nil where it is not worth it, or does not work: what TLS decrypts is not what is received.
    ///
    /// Without chunks the library hands over all that it has: its own memory must be empty.
    init?(_ connection: Connection, into store: UnsafeMutableRawBufferPointer, stored: Int) {
        guard store.count - stored >= Self.bytesMin, !connection.isEncrypted,
            let stream = connection.stream
        else { return nil }
        self.stream = stream
        body = .allocate(capacity: 1)
        body.initialize(
            to: CMicroHTTPD_Body(
                memory: store.baseAddress?.assumingMemoryBound(to: CChar.self),
                size: store.count, stored: stored, reported: stored))
        CMicroHTTPD_receive_body(stream, body)
    }

    /// Bytes of the whole body that the library knows of.
    var reported: Int { body.pointee.reported }

    /// Nothing is written any more.
    func end() { CMicroHTTPD_receive_body(stream, nil) }

    deinit { body.deallocate() }
}
