/// A client that ends the exchange before the service does.
struct DepartureCase: CustomStringConvertible, Sendable {
    enum Exit: String, CaseIterable, Sendable {
        case close
        case reset
        case halfClose
        case halfCloseAtOnce
    }

    let name: String
    let bytes: [UInt8]
    let exit: Exit
    /// What comes back before the service closes, which it must do by itself; nil where the client
    /// is gone and cannot see.
    let answers: [Set<Int>]?
    var description: String { "\(name), \(exit.rawValue)" }

    private static let phases: [(name: String, text: String)] = [
        ("before a byte", ""),
        ("in an empty line", "\r"),
        ("in the method", "PO"),
        ("in the target", "POST /to"),
        ("in the version", "POST /topk HT"),
        ("behind the request line", "POST /topk HTTP/1.1\r\n"),
        ("in a header's name", "POST /topk HTTP/1.1\r\nHo"),
        ("in a header's value", "POST /topk HTTP/1.1\r\nHost: "),
        ("before the last line of the header", Text.post("Content-Length: 19\r\n", "").dropLast2),
        ("behind the header", Text.post("Content-Length: 19\r\n", "")),
        ("behind Expect", Text.post("Content-Length: 19\r\nExpect: 100-continue\r\n", "")),
        ("in the body", Text.post("Content-Length: 19\r\n", #"{"x":[3"#)),
        ("one byte before the end", Text.post("Content-Length: 20\r\n")),
        ("in a body of 4 MB", Text.post("Content-Length: 4000000\r\n", Text.zeros(500_000))),
        (
            "in raw numbers",
            "POST /topk?n=3&k=1 HTTP/1.1\r\n" + Text.host + Text.octets
                + "Content-Length: 12\r\n\r\n" + Text.zeros(7)
        ),
        ("in a discarded body", Text.json(Text.body, target: "/nothing").dropLast2),
        (
            "in chunks",
            "POST /topk HTTP/1.1\r\n" + Text.host + "Transfer-Encoding: chunked\r\n\r\n13\r\n{"
        ),
        ("behind a request, before its answer", Text.json(Text.body)),
        ("behind ten requests", String(repeating: Text.json(Text.body), count: 10)),
        ("behind a request and half another", Text.json(Text.body) + "POST /topk HTTP/1.1\r\nHo"),
        // Workers compute this one, while nobody waits for it any more.
        ("behind a large request", large),
        ("while a large answer is sent", largeAnswer),
    ]

    private static let large = Text.octets(
        "n=1000&k=500&p=3&operator=values", Text.zeros(4_000_000))

    /// More than a socket buffers: the answer stands in the middle of its way.
    private static let largeAnswer = Text.octets("n=1000&k=1&format=dense", Text.zeros(4_000_000))

    /// 4 MB for 4 MB.
    static let largeRequest = HostileCase.latin1(largeAnswer)

    /// Every phase with both ways to vanish.
    static let vanishing = phases.flatMap { phase in
        [Exit.close, .reset].map { exit in
            DepartureCase(
                name: phase.name, bytes: HostileCase.latin1(phase.text), exit: exit, answers: nil)
        }
    }

    /// The end of our bytes: whole requests are answered, then the connection closes.
    static let halfClosed: [DepartureCase] = halfPhases.map { name, text, answers in
        DepartureCase(
            name: name, bytes: HostileCase.latin1(text), exit: .halfClose, answers: answers)
    }

    /// The same with the end in the packet of the last byte: the answers must come all the same.
    static let halfClosedAtOnce: [DepartureCase] = halfClosed.map {
        DepartureCase(
            name: $0.name, bytes: $0.bytes, exit: .halfCloseAtOnce, answers: $0.answers)
    }

    private static let halfPhases: [(String, String, [Set<Int>])] = [
        ("before a byte", "", []),
        ("in the request line", "POST /to", []),
        ("in the header", "POST /topk HTTP/1.1\r\nHost: t\r\n", []),
        ("in a header's value", "POST /topk HTTP/1.1\r\nHost: ", []),
        ("behind the header", Text.post("Content-Length: 19\r\n", ""), []),
        ("in the body", Text.post("Content-Length: 20\r\n"), []),
        ("in a large body", Text.post("Content-Length: 4000000\r\n", Text.zeros(1000)), []),
        ("in a discarded body", Text.json(Text.body, target: "/nothing").dropLast2, []),
        ("behind a request", Text.json(Text.body), [[200]]),
        ("behind raw numbers", Text.octets("n=3&k=1", Text.zeros(12)), [[200]]),
        ("behind a page", Text.get("/livez"), [[200]]),
        ("behind two requests", Text.json(Text.body) + Text.get("/livez"), [[200], [200]]),
        ("behind a refused one", Text.json("{"), [[400]]),
        ("behind bad framing", Text.post("X : y\r\n"), [[400]]),
        ("behind an unknown path", Text.json(Text.body, target: "/nothing"), [[404]]),
        ("behind a request and half a line", Text.json(Text.body) + "POST /to", [[200]]),
    ]

    /// A body of 4 MB and its end behind it: where the end is seen before the body is read to its
    /// last byte, the connection closes without the answer ("incomplete request" in the log). A
    /// race: a client in another process loses it nearly always, this one seldom.
    static let known: [DepartureCase] = [Exit.halfClose, .halfCloseAtOnce].map {
        DepartureCase(
            name: "behind a large request", bytes: HostileCase.latin1(large), exit: $0,
            answers: [[200]])
    }
}

extension String {
    /// Without its last two bytes (a CRLF is one character, but two bytes).
    fileprivate var dropLast2: String {
        var scalars = unicodeScalars
        scalars.removeLast(2)
        return String(scalars)
    }
}
