import Glibc

/// One HTTP answer. The body is sent from where it lies, and its owner is let go after the last
/// byte.
package struct Reply: Sendable {
    package let status: Int
    /// Names and values in turn, each with a NUL behind it, as the library takes them: a string of
    /// its own for each took a tenth of a small request's time.
    private var headers: [UInt8] = []
    fileprivate(set) var body: Body

    /// Bytes and the object that keeps them alive.
    struct Body: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
        let owner: AnyObject?
    }

    package init(status: Int) {
        self.status = status
        self.body = Body(bytes: UnsafeRawBufferPointer(start: nil, count: 0), owner: nil)
    }

    /// A reply whose body is text.
    package init(status: Int, contentType: String, text: String) {
        self.init(status: status)
        let owner = TextOwner(text)
        add("Content-Type", contentType)
        setBody(owner.bytes, owner: owner)
    }

    /// Adds a header; neither text has a NUL in it.
    package mutating func add(_ name: StaticString, _ value: String) {
        if headers.isEmpty { headers.reserveCapacity(Self.headerBytesExpected) }
        headers.append(
            contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        headers.append(0)
        headers.append(contentsOf: value.utf8)
        headers.append(0)
    }

    private static let headerBytesExpected = 384

    /// Hands out the headers as they were added.
    func forEachHeader(_ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Void) {
        headers.withUnsafeBytes { bytes in
            guard var name = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            let end = name + bytes.count
            while name < end {
                let value = name + strlen(name) + 1
                body(name, value)
                name = value + strlen(value) + 1
            }
        }
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
