/// Transfer-Encoding in every form: topkd takes no chunked body, so each is refused before a byte
/// of body is read, and nothing behind it may run.
enum TransferCases {
    static let all = conflicting + [bareReturn] + unknown + alone + chunks

    /// With two bodies: who goes by the length answers the first with 200, who goes by the chunks
    /// finds the second one empty; both then run the request behind it.
    private static let conflicting: [HostileCase] = [
        Text.body + Text.smuggled, "0\r\n\r\n" + Text.smuggled,
    ].flatMap { body in
        [
            both("length first", "chunked", body),
            HostileCase(
                "length and encoding: encoding first",
                Text.post("Transfer-Encoding: chunked\r\nContent-Length: 19\r\n", body), [400],
                .closes, "invalid_header"),
            HostileCase(
                "length and encoding: length 0",
                Text.post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", body), [400],
                .closes, "invalid_header"),
            HostileCase(
                "length and encoding: bare LF between",
                Text.post("Content-Length: 19\nTransfer-Encoding: chunked\r\n", body), [400],
                .closes, "invalid_header"),
            HostileCase(
                "length and encoding: no colon",
                Text.post("Content-Length: 19\r\nTransfer-Encoding chunked\r\n", body), [400],
                .closes),
            both("upper case", "CHUNKED", body),
            both("tab before", "\tchunked", body),
            both("space before the colon", "chunked", body, name: "Transfer-Encoding "),
            both("tab before the colon", "chunked", body, name: "Transfer-Encoding\t"),
            both("vertical tab", "\u{b}chunked", body),
            both("quoted", "\"chunked\"", body, code: "unsupported_transfer_encoding"),
            both("misspelt", "xchunked", body, code: "unsupported_transfer_encoding"),
            both("list", "identity, chunked", body, code: "unsupported_transfer_encoding"),
            both("identity", "identity", body, code: "unsupported_transfer_encoding"),
            both("empty", "", body, code: "unsupported_transfer_encoding"),
        ]
    }

    private static func both(
        _ title: String, _ value: String, _ body: String, name: String = "Transfer-Encoding",
        code: String = "invalid_header"
    ) -> HostileCase {
        HostileCase(
            "length and encoding: " + title,
            Text.post("Content-Length: 19\r\n\(name): \(value)\r\n", body), [400, 501],
            .closes, code)
    }

    private static let bareReturn = HostileCase(
        "length and encoding: bare CR between",
        Text.post(
            "Content-Length: 19\rTransfer-Encoding: chunked\r\n", Text.body + Text.smuggled),
        [400], .closesAfterTwoHeads)

    /// A space behind the value is no part of it, and yet counts here: refused all the same.
    private static let unknown: [HostileCase] = [
        code("gzip"), code("identity"), code("chunked, chunked"), code("chunked, gzip"),
        code("gzip, chunked"), code("xchunked"), code("chunkedx"), code("chunked;a=1"),
        code("chunked,"), code(",chunked"), code("\"chunked\""), code(""), code("chunked chunked"),
        code("c hunked"), code("chunked "), code("chunked\t"), code("identity, chunked"),
        code("br\r\nTransfer-Encoding: chunked"),
        code("chunked\r\nTransfer-Encoding: identity"),
        code("chunked\r\nTransfer-Encoding: chunked"),
    ]

    private static func code(_ value: String) -> HostileCase {
        HostileCase(
            "encoding is " + LengthCases.shown(value),
            Text.post("Transfer-Encoding: \(value)\r\n", "0\r\n\r\n" + Text.smuggled), [501],
            .closes, "unsupported_transfer_encoding")
    }

    /// A single chunked, however it is written, is understood and refused: 411.
    private static let alone: [HostileCase] = [
        chunked("plain", "Transfer-Encoding: chunked\r\n"),
        chunked("upper case", "Transfer-Encoding: CHUNKED\r\n"),
        chunked("no space", "Transfer-Encoding:chunked\r\n"),
        chunked("tab before", "Transfer-Encoding:\tchunked\r\n"),
        HostileCase(
            "chunked: bare LF", Text.post("Transfer-Encoding: chunked\n", Text.smuggled), [400],
            .closes, "invalid_header"),
        HostileCase(
            "encoding with a control byte",
            Text.post("Transfer-Encoding: \u{b}chunked\r\n", Text.smuggled), [400], .closes,
            "invalid_header"),
        HostileCase(
            "encoding with a space before the colon",
            Text.post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + Text.smuggled), [400],
            .closes, "invalid_header"),
        HostileCase(
            "another name: Transfer_Encoding",
            Text.post("Transfer_Encoding: chunked\r\nContent-Length: 19\r\n"), [200], .keeps),
        HostileCase(
            "TE is another header", Text.post("TE: trailers, chunked\r\nContent-Length: 19\r\n"),
            [200], .keeps),
        HostileCase(
            "Trailer without chunks", Text.post("Trailer: X\r\nContent-Length: 19\r\n"), [200],
            .keeps),
        HostileCase(
            "chunked in HTTP/1.0",
            "POST /topk HTTP/1.0\r\n" + Text.json + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                + Text.smuggled, [400, 411], .closes),
    ]

    private static func chunked(_ name: String, _ headers: String) -> HostileCase {
        HostileCase(
            "chunked: " + name, Text.post(headers, "0\r\n\r\n" + Text.smuggled), [411], .closes,
            "length_required")
    }

    private static let chunks: [HostileCase] = [
        chunk("a whole body", "13\r\n\(Text.body)\r\n0\r\n\r\n"),
        chunk("one byte each", Text.body.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"),
        chunk("size is no number", "zz\r\n\(Text.body)\r\n0\r\n\r\n"),
        chunk("size is negative", "-13\r\n\(Text.body)\r\n0\r\n\r\n"),
        chunk("size overflows", "fffffffffffffffff\r\n\(Text.body)\r\n0\r\n\r\n"),
        chunk("size wraps to 19", "10000000000000013\r\n\(Text.body)\r\n0\r\n\r\n"),
        chunk("extension", "13;a=\"b\"\r\n\(Text.body)\r\n0\r\n\r\n"),
        chunk("extension without end", "13;" + String(repeating: "a", count: 100_000)),
        chunk("trailer with a length", "0\r\nContent-Length: 19\r\n\r\n"),
        chunk("no end", "13\r\n\(Text.body)"),
        chunk("nothing", ""),
        at("GET", "/livez", [411]), at("GET", "/metrics", [411]), at("POST", "/nothing", [404]),
        at("PUT", "/topk", [405]), at("GET", "/topk", [405]), at("POST", "/livez", [405]),
    ]

    private static func chunk(_ name: String, _ body: String) -> HostileCase {
        HostileCase(
            "chunks: " + name,
            Text.post("Transfer-Encoding: chunked\r\n", body + Text.smuggled), [411], .closes,
            "length_required")
    }

    private static func at(_ method: String, _ target: String, _ status: Set<Int>) -> HostileCase {
        HostileCase(
            "chunks on \(method) \(target)",
            "\(method) \(target) HTTP/1.1\r\n" + Text.host + "Transfer-Encoding: chunked\r\n\r\n"
                + "0\r\n\r\n" + Text.smuggled, status, .closes)
    }
}
