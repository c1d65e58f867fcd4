import Glibc

/// The headers that mean something here.
package enum HeaderName: Int, CaseIterable, Sendable {
    case host
    case contentLength
    case transferEncoding
    case contentType
    case contentEncoding
    case accept
    case expect
    case authorization
    case timeout
    case requestID
    case traceparent

    /// In lower case.
    var text: StaticString {
        switch self {
        case .host: "host"
        case .contentLength: "content-length"
        case .transferEncoding: "transfer-encoding"
        case .contentType: "content-type"
        case .contentEncoding: "content-encoding"
        case .accept: "accept"
        case .expect: "expect"
        case .authorization: "authorization"
        case .timeout: "topk-timeout-ms"
        case .requestID: "x-request-id"
        case .traceparent: "traceparent"
        }
    }

    /// Whether it comes once at most, where nothing else says so: which of two counts, the next hop
    /// may see otherwise.
    var isSingle: Bool {
        [.contentType, .contentEncoding, .authorization, .timeout].contains(self)
    }

    /// The header that is called so, in whatever case. By its length, which leaves two at most.
    init?(_ name: UnsafeBufferPointer<UInt8>) {
        switch name.count {
        case 4: self = .host
        case 6: self = name[0] | 32 == UInt8(ascii: "a") ? .accept : .expect
        case 11: self = .traceparent
        case 12: self = name[0] | 32 == UInt8(ascii: "c") ? .contentType : .requestID
        case 13: self = .authorization
        case 14: self = .contentLength
        case 15: self = .timeout
        case 16: self = .contentEncoding
        case 17: self = .transferEncoding
        default: return nil
        }
        guard Self.equals(name, text) else { return nil }
    }

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

/// The first value of each of these headers that came. They lie in the library's memory, and stay
/// until the request ends: looking one up there goes through all headers.
struct HeaderValues {
    private var values = InlineArray<11, UnsafePointer<UInt8>?>(repeating: nil)
    private var counts = InlineArray<11, Int>(repeating: 0)

    /// Keeps the first of several, without the blanks behind it, which are not the value's (RFC
    /// 9110 5.5).
    mutating func note(_ name: HeaderName, _ value: UnsafeBufferPointer<UInt8>) {
        if values[name.rawValue] != nil { return }
        var count = value.count
        while count > 0 && (value[count - 1] == 32 || value[count - 1] == 9) { count -= 1 }
        values[name.rawValue] = value.baseAddress
        counts[name.rawValue] = count
    }

    func has(_ name: HeaderName) -> Bool { values[name.rawValue] != nil }

    /// Whether it came, and is this text: without making a string of it.
    func equals(_ name: HeaderName, _ text: String) -> Bool {
        guard let value = values[name.rawValue] else { return false }
        let count = counts[name.rawValue]
        return text.withCString { strncmp($0, value, count) == 0 && $0[count] == 0 }
    }

    subscript(name: HeaderName) -> String? {
        values[name.rawValue].map {
            String(
                decoding: UnsafeBufferPointer(start: $0, count: counts[name.rawValue]),
                as: UTF8.self)
        }
    }
}
