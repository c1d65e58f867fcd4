/// One HTTP answer. The body is sent from where it lies, and its owner is let go after the last
/// byte.
package struct Reply: Sendable {
    package struct Header: Sendable {
        package let name: String
        package let value: String
    }

    package let status: Int
    package private(set) var headers: [Header]
    fileprivate(set) var body: Body

    /// Bytes and the object that keeps them alive.
    struct Body: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
        let owner: AnyObject?
    }

    package init(status: Int, headers: [Header] = []) {
        self.status = status
        self.headers = headers
        self.body = Body(bytes: UnsafeRawBufferPointer(start: nil, count: 0), owner: nil)
    }

    /// A reply whose body is text.
    package init(status: Int, contentType: String, text: String) {
        self.init(status: status)
        let owner = TextOwner(text)
        add("Content-Type", contentType)
        setBody(owner.bytes, owner: owner)
    }

    package mutating func add(_ name: String, _ value: String) {
        headers.append(Header(name: name, value: value))
    }

    /// - Parameter owner: keeps `bytes` valid and unchanged for as long as it lives.
    package mutating func setBody(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        body = Body(bytes: bytes, owner: owner)
    }

    package var byteCount: Int { body.bytes.count }
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
