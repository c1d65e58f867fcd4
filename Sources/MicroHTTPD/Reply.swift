import CMicroHTTPD

/// One HTTP answer: a response of the library, whose headers are written by whoever makes it; only
/// then is it handed on. The body is sent from where it lies, and its owner is let go after the
/// last byte.
package final class Reply: @unchecked Sendable {
    package let status: Int
    /// Of the body.
    package let byteCount: Int
    /// nil if there was no memory for it.
    let response: OpaquePointer?

    /// - Parameter owner: keeps `body` valid and unchanged for as long as it lives.
    package init(status: Int, body: UnsafeRawBufferPointer, owner: borrowing AnyObject) {
        self.status = status
        byteCount = body.count
        response =
            if body.isEmpty {
                MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT)
            } else {
                MHD_create_response_from_buffer_with_free_callback_cls(
                    body.count, UnsafeMutableRawPointer(mutating: body.baseAddress), releaseOwner,
                    Unmanaged.passRetained(copy owner).toOpaque())
            }
        if response == nil && !body.isEmpty { Unmanaged.passUnretained(copy owner).release() }
    }

    /// A reply whose body is text.
    package convenience init(status: Int, contentType: String, text: String) {
        let owner = TextOwner(text)
        self.init(status: status, body: owner.bytes, owner: owner)
        add("Content-Type", contentType)
    }

    deinit {
        if let response { MHD_destroy_response(response) }
    }

    func closeConnection() { add("Connection", "close") }

    /// Adds a header; neither text has a NUL in it.
    package func add(_ name: StaticString, _ value: String) {
        value.withCString { add(name, $0) }
    }

    /// The same; the value ends with a NUL.
    package func add(_ name: StaticString, _ value: UnsafePointer<CChar>) {
        guard let response else { return }
        let name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        _ = MHD_add_response_header(response, name, value)
    }
}

private let releaseOwner: MHD_ContentReaderFreeCallback = { owner in
    guard let owner else { return }
    Unmanaged<AnyObject>.fromOpaque(owner).release()
}

/// A copy of a string's UTF-8 that outlives the call which made it.
private final class TextOwner {
    let bytes: UnsafeRawBufferPointer

    init(_ text: String) {
        let utf8 = Array(text.utf8)
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: utf8.count, alignment: 1)
        copy.copyBytes(from: utf8)
        bytes = UnsafeRawBufferPointer(copy)
    }

    deinit { bytes.deallocate() }
}
