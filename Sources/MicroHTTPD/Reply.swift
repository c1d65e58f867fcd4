import Glibc

/// One HTTP answer. The body is sent from where it lies, and its owner is let go after the last
/// byte. Whoever makes it writes it, and only then hands it on.
package final class Reply: @unchecked Sendable {
    package let status: Int
    private(set) var body = Body(bytes: UnsafeRawBufferPointer(start: nil, count: 0), owner: nil)
    /// Names and values in turn, each with a NUL behind it, as the library takes them: a string of
    /// its own for each took a tenth of a small request's time, and an array's bookkeeping a
    /// thirtieth.
    private var headers = UnsafeMutablePointer<UInt8>.allocate(capacity: headerBytesExpected)
    private var headersCapacity = headerBytesExpected
    private var headersCount = 0

    private static let headerBytesExpected = 512

    /// Bytes and the object that keeps them alive.
    struct Body: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
        let owner: AnyObject?
    }

    package init(status: Int) { self.status = status }

    /// A reply whose body is text.
    package convenience init(status: Int, contentType: String, text: String) {
        self.init(status: status)
        let owner = TextOwner(text)
        add("Content-Type", contentType)
        setBody(owner.bytes, owner: owner)
    }

    deinit { headers.deallocate() }

    /// Adds a header; neither text has a NUL in it.
    package func add(_ name: StaticString, _ value: String) {
        append(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        var value = value
        value.withUTF8 { append($0) }
    }

    private func append(_ text: UnsafeBufferPointer<UInt8>) {
        let needed = headersCount + text.count + 1
        if needed > headersCapacity { grow(to: max(needed, 2 * headersCapacity)) }
        if let start = text.baseAddress {
            (headers + headersCount).update(from: start, count: text.count)
        }
        headers[needed - 1] = 0
        headersCount = needed
    }

    private func grow(to capacity: Int) {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: headers, count: headersCount)
        headers.deallocate()
        headers = larger
        headersCapacity = capacity
    }

    /// Hands out the headers as they were added.
    func forEachHeader(_ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Void) {
        var name = UnsafeRawPointer(headers).assumingMemoryBound(to: CChar.self)
        let end = name + headersCount
        while name < end {
            let value = name + strlen(name) + 1
            body(name, value)
            name = value + strlen(value) + 1
        }
    }

    /// - Parameter owner: keeps `bytes` valid and unchanged for as long as it lives.
    package func setBody(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) {
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
