import CMicroHTTPD
import Glibc

/// Why a request's header is refused before anything else is looked at. libmicrohttpd 0.9.75 lets
/// all of these through, and each can make a proxy and us disagree on where a request ends.
package enum HeaderFault: Error, Equatable, Sendable {
    case repeatedContentLength
    case invalidContentLength
    case contentLengthWithTransferEncoding
    case unsupportedTransferEncoding
    case repeatedHost
    /// HTTP/1.1 without Host.
    case missingHost
    /// A header twice that means one thing: which one counts, the next hop may see otherwise.
    case repeatedHeader(String)
    /// A name that is not an RFC 9110 token (such as "Content-Length " before the colon).
    case invalidName
    /// A control byte in a value.
    case invalidValue
    /// A request target with a NUL, written as %00, or another byte that no target may hold.
    case invalidTarget
    /// Bytes that the library dropped or moved: a folded line, a NUL, a bare LF, an empty name.
    case invalidLine
}

/// What the header says about the body, once it is known to be unambiguous.
package struct BodyFraming: Equatable, Sendable {
    /// The declared length; nil without Content-Length.
    package var contentLength: Int?
    package var isChunked = false
}

/// Collects what matters for framing while the library hands over one header after the other.
struct HeaderAudit {
    private(set) var fault: HeaderFault?
    private(set) var framing = BodyFraming()
    private(set) var values = HeaderValues()
    private let table: HeaderTable
    /// Where the next line must begin; nil if nobody knows.
    private var nextLine: UnsafePointer<UInt8>?

    init(_ table: HeaderTable) { self.table = table }

    /// Looks at one header; bytes as received.
    mutating func visit(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        visitPlace(name, value)
        let known = table.find(name)
        if known == nil && !Self.isToken(name) { return refuse(.invalidName) }
        if Self.hasControlByte(value) { return refuse(.invalidValue) }
        if let known { visit(known, value) }
    }

    private mutating func visit(_ known: HeaderName, _ value: UnsafeBufferPointer<UInt8>) {
        switch known.place {
        case HeaderName.contentLength.place: visitContentLength(value)
        case HeaderName.transferEncoding.place:
            if HeaderName.equals(value, "chunked") && !framing.isChunked {
                framing.isChunked = true
            } else {
                refuse(.unsupportedTransferEncoding)
            }
        case HeaderName.host.place:
            if values.has(.host) { refuse(.repeatedHost) }
        default:
            if known.isSingle && values.has(known) { refuse(.repeatedHeader("\(known.text)")) }
        }
        values.note(known, value)
        if framing.isChunked && framing.contentLength != nil {
            refuse(.contentLengthWithTransferEncoding)
        }
    }

    /// The library cuts lines where they lie, so whole lines lie side by side: name, NUL for the
    /// colon, spaces, value, two NULs for CRLF. A folded line moves the name; bytes behind a NUL,
    /// bare line ends and lines with an empty name leave another gap.
    private mutating func visitPlace(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) {
        guard let expected = nextLine else { return }
        guard name.baseAddress == expected, let start = value.baseAddress else {
            return refuse(.invalidLine)
        }
        var place = expected + name.count
        guard place.pointee == 0, start > place else { return refuse(.invalidLine) }
        place += 1
        while place < start {
            guard place.pointee == 32 || place.pointee == 9 else { return refuse(.invalidLine) }
            place += 1
        }
        let end = start + value.count
        guard end[0] == 0 && end[1] == 0 else { return refuse(.invalidLine) }
        nextLine = end + 2
    }

    /// After the last header.
    ///
    /// - Parameter headerEnd: behind the empty line; nil if nobody knows.
    mutating func finish(isVersion11: Bool, headerEnd: UnsafePointer<UInt8>? = nil) {
        if let nextLine, let headerEnd, nextLine + 2 != headerEnd { refuse(.invalidLine) }
        if isVersion11 && !values.has(.host) { refuse(.missingHost) }
    }

    private mutating func visitContentLength(_ value: UnsafeBufferPointer<UInt8>) {
        // Even two equal ones: RFC 9112 6.3 allows to refuse, and a proxy may see it otherwise.
        if framing.contentLength != nil { return refuse(.repeatedContentLength) }
        guard !value.isEmpty, value.count <= 18,
            value.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        else { return refuse(.invalidContentLength) }
        framing.contentLength = value.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func refuse(_ found: HeaderFault) {
        if fault == nil { fault = found }
    }

    /// An RFC 9110 token: letters, digits and fifteen others.
    private static func isToken(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        for byte in name {
            let bits = byte < 64 ? tokenBytesBelow64 : byte < 128 ? tokenBytesFrom64 : 0
            if bits >> UInt64(byte & 63) & 1 == 0 { return false }
        }
        return !name.isEmpty
    }

    /// Bit i: byte i. Digits and !#$%&'*+-.
    private static let tokenBytesBelow64: UInt64 = 0x03ff_6cfa_0000_0000
    /// Bit i: byte 64 + i. Letters and ^_`|~
    private static let tokenBytesFrom64: UInt64 = 0x57ff_ffff_c7ff_fffe

    /// One but a tab. All bytes are looked at, many at once.
    private static func hasControlByte(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        var found: UInt8 = 0
        for byte in value { found |= (byte < 32 && byte != 9) || byte == 127 ? 1 : 0 }
        return found != 0
    }
}

extension HeaderAudit {
    /// Reads all headers of a connection's current request.
    ///
    /// - Parameter stream: the connection's bytes.
    static func run(
        _ connection: OpaquePointer, _ line: RequestLine, _ stream: OpaquePointer?,
        _ table: HeaderTable
    ) -> HeaderAudit {
        var audit = HeaderAudit(table)
        if isLayoutKnown {
            let (method, target, version) = (line.method, line.target, line.version)
            let isWhole =
                target == method + strlen(line.methodText) + 1
                && version == target + line.targetCount + 1
            if !isWhole { audit.refuse(.invalidTarget) }
            audit.nextLine = version + strlen(line.versionText) + 2
        }
        withUnsafeMutablePointer(to: &audit) { pointer in
            _ = MHD_get_connection_values_n(connection, .HEADER_KIND, visitHeader, pointer)
        }
        let size = CMicroHTTPD_header_size(connection)
        audit.finish(
            isVersion11: strcmp(line.versionText, "HTTP/1.0") != 0, headerEnd: line.method + size)
        let bodySize = UInt64(audit.framing.contentLength ?? 0)
        let isClean = CMicroHTTPD_pass_header(stream, line.methodText, size, bodySize)
        if isLayoutKnown && !isClean { audit.refuse(.invalidLine) }
        return audit
    }

    /// Where lines lie is no promise of the library: only the version that was looked at is held to
    /// it (tests fail on any other, so that it will be looked at).
    private static let isLayoutKnown = String(cString: MHD_get_version()) == "0.9.75"
}

/// Where the library found the parts of the request line.
struct RequestLine {
    let methodText: UnsafePointer<CChar>
    let targetText: UnsafePointer<CChar>
    let versionText: UnsafePointer<CChar>
    /// Of the target as received.
    let targetCount: Int

    var method: UnsafePointer<UInt8> { Self.bytes(methodText) }
    var target: UnsafePointer<UInt8> { Self.bytes(targetText) }
    var version: UnsafePointer<UInt8> { Self.bytes(versionText) }

    private static func bytes(_ text: UnsafePointer<CChar>) -> UnsafePointer<UInt8> {
        UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self)
    }
}

private let visitHeader: MHD_KeyValueIteratorN = { context, _, name, nameSize, value, valueSize in
    guard let context else { return .NO }
    let audit = context.assumingMemoryBound(to: HeaderAudit.self)
    func bytes(_ text: UnsafePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(
            start: UnsafeRawPointer(text)?.assumingMemoryBound(to: UInt8.self),
            count: text == nil ? 0 : count)
    }
    audit.pointee.visit(name: bytes(name, nameSize), value: bytes(value, valueSize))
    return .YES
}
