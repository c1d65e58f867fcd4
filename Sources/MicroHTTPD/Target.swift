import Glibc

/// A request's target. A connection keeps the last few that it had, with what the responder made of
/// them: most requests of a client have the target of one before.
package final class Target: @unchecked Sendable {
    /// Path and query, not unescaped.
    package let text: String
    /// Bytes before it was brought to that form.
    let receivedCount: Int
    /// Whether every byte may be in a target.
    let isValid: Bool

    /// Whatever the responder made of it. One request of the connection has it at a time.
    package var attachment: AnyObject?

    init(_ received: String) {
        receivedCount = received.utf8.count
        text = Self.originForm(received)
        isValid = Self.isValid(text)
    }

    /// Whether these bytes would be the same.
    func isOf(_ received: UnsafePointer<CChar>) -> Bool {
        // One that was brought to another form is not what was received.
        text.utf8.count == receivedCount && text.withCString { strcmp($0, received) == 0 }
    }

    /// Whether a connection may keep it: not what nobody may ask for, nor much memory for each.
    var isKept: Bool { isValid && receivedCount <= Self.keptBytesMax }

    private static let keptBytesMax = 512

    /// "http://host/path" means "/path" (RFC 9112 3.2.2: servers take it, although only proxies are
    /// sent it).
    private static func originForm(_ target: String) -> String {
        if target.utf8.first == UInt8(ascii: "/") { return target }
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            let rest = target.dropFirst(scheme.utf8.count)
            guard let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
            return rest[start] == "/" ? String(rest[start...]) : "/" + rest[start...]
        }
        return target
    }

    /// Visible ASCII only, and no escaped NUL: the library would cut the target there.
    private static func isValid(_ target: String) -> Bool {
        var target = target
        return target.withUTF8 { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else { return false }
            // None is left out, so that many are looked at at once.
            var others: UInt8 = 0
            var place = 0
            while place < bytes.count {
                others |= start[place] > 32 && start[place] < 127 ? 0 : 1
                place &+= 1
            }
            guard others == 0 else { return false }
            if memchr(start, Int32(UInt8(ascii: "%")), bytes.count) == nil { return true }
            let zero = UInt8(ascii: "0")
            return !(0..<max(0, bytes.count - 2)).contains {
                bytes[$0] == UInt8(ascii: "%") && bytes[$0 + 1] == zero && bytes[$0 + 2] == zero
            }
        }
    }
}
