/// Sizes that lie, Expect, and several requests in one packet.
enum BodyCases {
    static let all = sizes + expectations + pipelines

    private static let sizes: [HostileCase] = [
        HostileCase("length 0, JSON", Text.json(""), [400], .keeps, "invalid_json"),
        HostileCase(
            "length 0, raw numbers", Text.octets("n=3&k=1", ""), [422], .keeps,
            "wrong_body_length"),
        HostileCase("one byte", Text.json("{"), [400], .keeps, "invalid_json"),
        HostileCase(
            "shorter than announced", Text.post("Content-Length: 20\r\n"), [], .waits),
        HostileCase("much shorter", Text.post("Content-Length: 4000000\r\n"), [], .waits),
        HostileCase("nothing of it", Text.post("Content-Length: 19\r\n", ""), [], .waits),
        HostileCase(
            "longer by a request", Text.json(Text.body) + Text.smuggled,
            sequence: [[200], [404]], .keeps),
        HostileCase(
            "longer by zero bytes and a request",
            Text.post("Content-Length: 0\r\n", "") + Text.get("/livez"), sequence: [[400], [200]],
            .keeps),
        HostileCase(
            "an empty line behind the body", Text.json(Text.body) + "\r\n", [200], .keeps),
        HostileCase(
            "words behind the body", Text.json(Text.body) + "hello\r\n\r\n",
            sequence: [[200]], .closes),
        HostileCase(
            "body is a request", Text.json(Text.smuggled), [400], .keeps, "invalid_json"),
        HostileCase(
            "raw body is a request", Text.octets("n=35&k=1", Text.smuggled), [422], .keeps,
            "wrong_body_length"),
        HostileCase(
            "body of an unknown path is a request", Text.json(Text.smuggled, target: "/nothing"),
            [404], .keeps, "not_found"),
        HostileCase(
            "body of a page is a request",
            Text.get("/metrics", "Content-Length: 35\r\n") + Text.smuggled, [200], .keeps),
        HostileCase(
            "body of another type is a request",
            "POST /topk HTTP/1.1\r\n" + Text.host + "Content-Length: 35\r\n\r\n" + Text.smuggled,
            [415], .keeps, "unsupported_media_type"),
        HostileCase(
            "largest discarded body",
            "POST /topk HTTP/1.1\r\n" + Text.host + "Content-Length: 1048576\r\n\r\n"
                + Text.zeros(1 << 20), [415], .keeps),
        HostileCase(
            "one byte more is not worth reading",
            "POST /topk HTTP/1.1\r\n" + Text.host + "Content-Length: 1048577\r\n\r\n", [415],
            .closes),
        HostileCase(
            "one byte over the limit", Text.post("Content-Length: 4194305\r\n", ""), [413],
            .closes, "body_too_large"),
        HostileCase(
            "over the limit on GET", Text.get("/livez", "Content-Length: 4194305\r\n"), [413],
            .closes, "body_too_large"),
        HostileCase(
            "all of the limit", Text.json(Text.body + String(repeating: " ", count: 4_194_285)),
            [200], .keeps),
    ]

    private static let expectations: [HostileCase] = [
        expect("100-continue", [200], .keeps), expect("100-Continue", [200], .keeps),
        expect("100-CONTINUE", [200], .keeps), expect("100-continue, x", [200, 417], .either),
        expect("purple", [200, 417], .either), expect("", [200, 417], .either),
        expect("100-continue\r\nExpect: 100-continue", [200, 400, 417], .either),
        HostileCase(
            "expect with length 0",
            Text.post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""), [400], .either,
            "invalid_json"),
        HostileCase(
            "expect on GET", Text.get("/livez", "Expect: 100-continue\r\n"), [200], .either),
        HostileCase(
            "expect with an unknown path",
            Text.json("", target: "/nothing", headers: "Expect: 100-continue\r\n"), [404],
            .closes),
        HostileCase(
            "expect with too much",
            Text.post(
                "Expect: 100-continue\r\nContent-Length: 4194305\r\n", ""), [413], .closes,
            "body_too_large"),
        HostileCase(
            "expect with a bad header",
            Text.post("Expect: 100-continue\r\nContent-Length: 19\r\nX : y\r\n", ""), [400],
            .closes, "invalid_header"),
        HostileCase(
            "expect with chunks",
            Text.post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", ""), [411],
            .closes, "length_required"),
        HostileCase(
            "expect in HTTP/1.0",
            "POST /topk HTTP/1.0\r\n" + Text.json
                + "Expect: 100-continue\r\nContent-Length: 19\r\n\r\n" + Text.body, [200], .closes),
    ]

    private static func expect(
        _ value: String, _ status: Set<Int>, _ end: HostileCase.End
    ) -> HostileCase {
        HostileCase(
            "expect " + LengthCases.shown(value),
            Text.json(Text.body, headers: "Expect: \(value)\r\n"), status, end)
    }

    private static let good = Text.json(Text.body)
    private static let refused = Text.json("{}")
    private static let page = Text.get("/livez")
    private static let framing = Text.post("Content-Length: 19\r\nContent-Length: 5\r\n")
    private static let numbers = Text.octets("n=3&k=1", Text.zeros(12))

    private static let pipelines: [HostileCase] = [
        pipe("ten good", LineCases.run(good, 10), [Int](repeating: 200, count: 10)),
        pipe("ten raw", LineCases.run(numbers, 10), [Int](repeating: 200, count: 10)),
        pipe("200 pages", LineCases.run(page, 200), [Int](repeating: 200, count: 200)),
        pipe(
            "both types by turns", LineCases.run(good + numbers, 5),
            [Int](repeating: 200, count: 10)),
        pipe("good, refused, good", good + refused + good, [200, 422, 200]),
        pipe("refused, good, refused", refused + good + refused, [422, 200, 422]),
        pipe(
            "discarded, good",
            Text.json(Text.body, target: "/nothing") + good, [404, 200]),
        pipe("no JSON, good", Text.json("\r\n\r\n") + good, [400, 200]),
        pipe("empty lines between", good + "\r\n" + page + "\r\n" + numbers, [200, 200, 200]),
        HostileCase("pipelined: bad framing, good", framing + good, [400], .closes),
        HostileCase(
            "pipelined: good, bad framing, good", good + framing + good,
            sequence: [[200], [400]], .closes),
        HostileCase(
            "pipelined: page, too much, good",
            page + Text.post("Content-Length: 4194305\r\n", "") + good,
            sequence: [[200], [413]], .closes),
        HostileCase(
            "pipelined: close, then good",
            Text.json(Text.body, headers: "Connection: close\r\n") + good, [200], .closes),
        HostileCase(
            "pipelined: HTTP/1.0, then good", "GET /livez HTTP/1.0\r\n\r\n" + good, [200], .closes),
        HostileCase(
            "pipelined: HEAD, good, HEAD",
            "HEAD /livez HTTP/1.1\r\n" + Text.host + "\r\n" + good + "HEAD /metrics HTTP/1.1\r\n"
                + Text.host + "\r\n", sequence: [[200], [200], [200]], .keeps, heads: [0, 2]),
    ]

    private static func pipe(_ name: String, _ text: String, _ statuses: [Int]) -> HostileCase {
        HostileCase("pipelined: " + name, text, sequence: statuses.map { [$0] }, .keeps)
    }
}
