/// One row of a table: bytes for a fresh connection, and what must come back.
struct HostileCase: CustomStringConvertible, Sendable {
    /// What the service does with the connection after its answers.
    enum End: Sendable {
        /// It stays, and what follows is read from the right byte on.
        case keeps
        case closes
        /// As `closes`; the answer may be libmicrohttpd's own with its head sent twice, which it
        /// does for a header that it cannot take. `KnownCases` asks for one head.
        case closesAfterTwoHeads
        /// Both are right; if it stays, then at the right byte.
        case either
        /// More bytes must come first: no answer, no close.
        case waits
    }

    let name: String
    let bytes: [UInt8]
    /// The allowed statuses of each answer, in their order. More answers than these mean that a
    /// part of one request was taken for another.
    let answers: [Set<Int>]
    let end: End
    /// The stable code of the last answer, where it is one of ours.
    let code: String?
    /// The answers to HEAD: they announce a length and send no body.
    let heads: Set<Int>
    /// Whether 100 Continue may come first: not unasked, and never in HTTP/1.0.
    let mayContinue: Bool
    var description: String { name }

    /// Allowed in place of a status: the connection closes without an answer.
    static let nothing = 0

    /// - Parameter text: each scalar is one byte, so that "\u{ff}" is the byte 0xff.
    init(
        _ name: String, _ text: String, sequence: [Set<Int>], _ end: End, _ code: String? = nil,
        heads: Set<Int> = []
    ) {
        self.name = name
        bytes = Self.latin1(text)
        answers = sequence
        self.end = end
        self.code = code
        self.heads = heads
        mayContinue = text.contains("Expect: ") && !text.contains("HTTP/1.0")
    }

    /// A case with a single answer.
    init(_ name: String, _ text: String, _ status: Set<Int>, _ end: End, _ code: String? = nil) {
        self.init(name, text, sequence: [status], end, code)
    }

    static func latin1(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { scalar in
            precondition(scalar.value < 256, "write bytes, not characters")
            return UInt8(scalar.value)
        }
    }
}

/// Requests and their parts, for the tables.
enum Text {
    /// 19 bytes that are a whole request body.
    static let body = #"{"x":[3,1,2],"k":1}"#
    static let host = "Host: t\r\n"
    static let json = "Content-Type: application/json\r\n"
    static let octets = "Content-Type: application/octet-stream\r\n"
    /// Runs only if the bytes before it were read wrongly: one answer too many.
    static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n"

    /// POST /topk with these further header lines; what follows them is `body`.
    static func post(_ headers: String, _ body: String = Text.body) -> String {
        "POST /topk HTTP/1.1\r\n" + host + json + headers + "\r\n" + body
    }

    /// POST with the right length.
    static func json(
        _ body: String, target: String = "/topk", headers: String = ""
    ) -> String {
        "POST \(target) HTTP/1.1\r\n" + host + json + headers
            + "Content-Length: \(body.unicodeScalars.count)\r\n\r\n" + body
    }

    /// Raw numbers with the right length.
    static func octets(_ query: String, _ body: String, path: String = "/topk") -> String {
        "POST \(path)?\(query) HTTP/1.1\r\n" + host + octets
            + "Content-Length: \(body.unicodeScalars.count)\r\n\r\n" + body
    }

    /// GET with these further header lines.
    static func get(_ target: String, _ headers: String = "") -> String {
        "GET \(target) HTTP/1.1\r\n" + host + headers + "\r\n"
    }

    /// Zero bytes: finite numbers of every type.
    static func zeros(_ count: Int) -> String { String(repeating: "\u{0}", count: count) }
}
