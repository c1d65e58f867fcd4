import Glibc

/// A header that is kept while a request is served, by its place among those that are.
///
/// The first four are HTTP's own; a daemon is told which others mean something to its responder.
package struct HeaderName: Sendable {
    let place: Int
    /// In lower case.
    let text: StaticString
    /// Whether it comes once at most: which of two counts, the next hop may see otherwise.
    let isSingle: Bool

    /// - Parameter place: from 4 on, each once.
    package init(_ place: Int, _ text: StaticString, isSingle: Bool) {
        precondition(place < HeaderValues.placesMax)
        self.place = place
        self.text = text
        self.isSingle = isSingle
    }

    package static let expect = HeaderName(0, "expect", isSingle: false)
    static let host = HeaderName(1, "host", isSingle: false)
    static let contentLength = HeaderName(2, "content-length", isSingle: false)
    static let transferEncoding = HeaderName(3, "transfer-encoding", isSingle: false)

    /// Case-insensitive comparison with an ASCII word.
    static func equals(_ bytes: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount, let start = bytes.baseAddress else {
            return false
        }
        // Of the C locale: nothing here sets another.
        return UnsafeRawPointer(start).withMemoryRebound(to: CChar.self, capacity: bytes.count) {
            strncasecmp(
                $0, UnsafeRawPointer(word.utf8Start).assumingMemoryBound(to: CChar.self),
                bytes.count) == 0
        }
    }
}

/// All headers that a daemon keeps.
package final class HeaderTable: Sendable {
    private let names: [HeaderName]

    /// - Parameter names: beside HTTP's own, in the order of their places.
    package init(_ names: [HeaderName]) {
        let own: [HeaderName] = [.expect, .host, .contentLength, .transferEncoding]
        self.names = own + names
        precondition(self.names.indices.allSatisfy { self.names[$0].place == $0 })
    }

    /// The header that is called so, in whatever case.
    func find(_ name: UnsafeBufferPointer<UInt8>) -> HeaderName? {
        for known in names where HeaderName.equals(name, known.text) { return known }
        return nil
    }
}

/// The first value of each of these headers that came. They lie in the library's memory, and stay
/// until the request ends: looking one up there goes through all headers.
struct HeaderValues {
    static let placesMax = 16
    private var values = InlineArray<16, UnsafePointer<UInt8>?>(repeating: nil)
    private var counts = InlineArray<16, Int>(repeating: 0)

    /// Keeps the first of several, without the blanks behind it, which are not the value's (RFC
    /// 9110 5.5).
    mutating func note(_ name: HeaderName, _ value: UnsafeBufferPointer<UInt8>) {
        if values[name.place] != nil { return }
        var count = value.count
        while count > 0 && (value[count - 1] == 32 || value[count - 1] == 9) { count -= 1 }
        values[name.place] = value.baseAddress
        counts[name.place] = count
    }

    func has(_ name: HeaderName) -> Bool { values[name.place] != nil }

    /// Whether it came, and is this text: without making a string of it.
    func equals(_ name: HeaderName, _ text: String) -> Bool {
        guard let value = values[name.place] else { return false }
        let count = counts[name.place]
        return text.withCString { strncmp($0, value, count) == 0 && $0[count] == 0 }
    }

    subscript(name: HeaderName) -> String? {
        values[name.place].map {
            String(
                decoding: UnsafeBufferPointer(start: $0, count: counts[name.place]),
                as: UTF8.self)
        }
    }
}
