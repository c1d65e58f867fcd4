/// Request lines: methods, targets, versions.
enum LineCases {
    static let all = versions + targets + methods + long

    private static let versions: [HostileCase] = [
        // HTTP/0.9 has no version and no header in its answer: not spoken here.
        line("no version", "GET /livez", [400, 505], .closes),
        line("0.9", "GET /livez HTTP/0.9", [400, 505], .closes),
        line("1.2", "GET /livez HTTP/1.2", [200, 505], .either),
        line("2.0", "GET /livez HTTP/2.0", [400, 505], .closes),
        line("3", "GET /livez HTTP/3", [400, 505], .closes),
        line("9.9", "GET /livez HTTP/9.9", [400, 505], .closes),
        line("lower case", "GET /livez http/1.1", [400, 505], .closes),
        line("mixed case", "GET /livez Http/1.1", [400, 505], .closes),
        line("no dot", "GET /livez HTTP/11", [400, 505], .closes),
        line("no minor", "GET /livez HTTP/1.", [400, 505], .closes),
        line("a letter behind", "GET /livez HTTP/1.1x", [400, 505], .closes),
        line("two digits", "GET /livez HTTP/1.10", [400, 505], .closes),
        line("not HTTP", "GET /livez ICY/1.1", [400, 505], .closes),
        line("a word behind", "GET /livez HTTP/1.1 x", [400, 505], .closes),
        HostileCase(
            "HTTP/2 preface",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\u{0}\u{0}\u{0}\u{4}"
                + Text.zeros(5), [400, 505], .closes),
        HostileCase(
            "TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}\r\n\r\n",
            [400, 505, HostileCase.nothing], .closes),
        HostileCase("HTTP/1.0", "GET /livez HTTP/1.0\r\n\r\n", [200], .closes),
        HostileCase(
            "HTTP/1.0 that asks to keep", "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            [200], .either),
        // RFC 9112 3.2.2: a server takes it.
        HostileCase("absolute-form", Text.get("http://t/livez"), [200], .keeps),
        HostileCase("an empty line before", "\r\n" + Text.get("/livez"), [200], .keeps),
        HostileCase(
            "words only", "hello\r\n\r\n", [400, 505, HostileCase.nothing], .closes),
    ]

    private static func line(
        _ name: String, _ line: String, _ status: Set<Int>, _ end: HostileCase.End
    ) -> HostileCase {
        HostileCase("version: " + name, line + "\r\n" + Text.host + "\r\n", status, end)
    }

    private static let targets: [HostileCase] = [
        target("/nothing", [404], .keeps, "not_found"),
        target("/livez/", [404], .keeps, "not_found"), target("//livez", [404], .keeps),
        target("/LIVEZ", [404], .keeps), target("/livez;x=1", [404], .keeps),
        target("/x/../livez", [404], .keeps), target("/./livez", [404], .keeps),
        target("/..%2f..%2fetc/passwd", [404], .keeps), target("/topk%2fvjp", [404], .keeps),
        target("/livez%20", [404], .keeps), target("/%", [404], .keeps),
        target("/%zz", [404], .keeps), target("/livez#top", [400, 404], .either),
        target("*", [400, 404], .either), target("livez", [400, 404], .either),
        target("t:80", [400, 404], .either), target("http://", [400, 404], .either),
        target("/livez?", [200], .keeps), target("/livez?a=b&a=b&%zz", [200], .keeps),
        target("/%00", [400], .closes, "invalid_target"),
        target("/livez%00", [400], .closes, "invalid_target"),
        target("/livez%00/../topk", [400], .closes, "invalid_target"),
        target("/livez?a=%00", [400], .closes, "invalid_target"),
        target("/livez?%00=a", [400], .closes, "invalid_target"),
        target("/livez\u{1}", [400], .closes), target("/livez\u{7f}", [400], .closes),
        target("/livez\u{80}", [400], .closes), target("/\u{c3}\u{a9}", [400], .closes),
        target("/livez\u{ff}?a", [400], .closes), target("/livez?a=\u{fe}", [400], .closes),
        target("/live z", [400], .closes), target("/livez?a b", [400], .closes),
        HostileCase(
            "no target", "GET HTTP/1.1\r\n" + Text.host + "\r\n", [400, 505], .closes),
        HostileCase(
            "method only", "GET\r\n" + Text.host + "\r\n", [400, 505, HostileCase.nothing],
            .closes),
        HostileCase(
            "two spaces before the target", "GET  /livez HTTP/1.1\r\n" + Text.host + "\r\n",
            [200, 400], .either),
        HostileCase(
            "two spaces before the version", "GET /livez  HTTP/1.1\r\n" + Text.host + "\r\n",
            [200, 400], .either),
        HostileCase(
            "a tab before the target", "GET\t/livez HTTP/1.1\r\n" + Text.host + "\r\n",
            [200, 400, 505], .either),
        HostileCase(
            "a space before the method", " GET /livez HTTP/1.1\r\n" + Text.host + "\r\n",
            [400, 505, HostileCase.nothing], .closes),
    ]

    private static func target(
        _ target: String, _ status: Set<Int>, _ end: HostileCase.End, _ code: String? = nil
    ) -> HostileCase {
        HostileCase(
            "target " + LengthCases.shown(target), Text.get(target), status, end, code)
    }

    private static let methods: [HostileCase] = [
        method("PUT"), method("DELETE"), method("PATCH"), method("GET"), method("TRACE"),
        method("OPTIONS"), method("post"), method("Post"), method("POSTX"), method("POS"),
        method("BREW"), method("PROPFIND"), method("!#$%&'*+.^_`|~-"),
        HostileCase(
            "CONNECT", "CONNECT t:80 HTTP/1.1\r\n" + Text.host + "\r\n", [400, 404, 405, 501],
            .either),
        HostileCase(
            "OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + Text.host + "\r\n", [200, 204, 404, 405],
            .either),
        HostileCase("POST on a page", Text.json(Text.body, target: "/livez"), [405], .keeps),
        HostileCase(
            "HEAD on a page", "HEAD /livez HTTP/1.1\r\n" + Text.host + "\r\n", sequence: [[200]],
            .keeps, heads: [0]),
        HostileCase(
            "HEAD on /topk", "HEAD /topk HTTP/1.1\r\n" + Text.host + "\r\n", sequence: [[405]],
            .keeps, heads: [0]),
        HostileCase(
            "HEAD with a body",
            "HEAD /livez HTTP/1.1\r\n" + Text.host + "Content-Length: 35\r\n\r\n" + Text.smuggled,
            sequence: [[200]], .keeps, heads: [0]),
        HostileCase(
            "method that is no token", "GE(T /livez HTTP/1.1\r\n" + Text.host + "\r\n",
            [400, 405, 501], .either),
        HostileCase(
            "method beyond ASCII", "G\u{c9}T /livez HTTP/1.1\r\n" + Text.host + "\r\n",
            [400, 405, 501], .either),
    ]

    /// The body is read away, and the connection stays.
    private static func method(_ name: String) -> HostileCase {
        HostileCase(
            "method \(name)",
            "\(name) /topk HTTP/1.1\r\n" + Text.host + Text.json
                + "Content-Length: 19\r\n\r\n" + Text.body, [405], .keeps, "method_not_allowed")
    }

    /// Longer than a connection's memory (36 KiB), or near it.
    private static let long: [HostileCase] = [
        HostileCase(
            "method of 20,000 bytes", run("M", 20_000) + " /livez HTTP/1.1\r\n\r\n",
            [400, 405, 413, 414, 431, 501], .either),
        HostileCase(
            "method of 200,000 bytes", run("M", 200_000) + " /livez HTTP/1.1\r\n\r\n",
            [400, 405, 413, 414, 431, 501], .closes),
        HostileCase("path of 8,000 bytes", Text.get("/" + run("p", 8000)), [404], .keeps),
        HostileCase(
            "path of 30,000 bytes", Text.get("/" + run("p", 30_000)), [404, 414], .either),
        HostileCase(
            "path of 200,000 bytes", Text.get("/" + run("p", 200_000)), [414], .closes),
        HostileCase(
            "query of 20,000 bytes", Text.get("/livez?" + run("q", 20_000)), [200], .keeps),
        HostileCase(
            "query of 200,000 bytes", Text.get("/livez?" + run("q", 200_000)), [414], .closes),
        HostileCase(
            "version of 200,000 bytes", "GET /livez HTTP/1." + run("1", 200_000) + "\r\n\r\n",
            [400, 413, 414, 431, 505], .closes),
        HostileCase(
            "100 query items", Text.get("/livez?" + items(100)), [200], .keeps),
        HostileCase(
            "500 query items", Text.get("/livez?" + items(500)), [200], .keeps),
        HostileCase(
            "query of 17,000 bytes for /topk",
            Text.octets("n=3&k=1&" + run("q", 17_000), Text.zeros(12)), [400], .keeps,
            "invalid_query"),
        HostileCase(
            "500 query items for /topk", Text.octets(items(500), Text.zeros(12)), [400], .keeps,
            "invalid_query"),
    ]

    static func run(_ text: String, _ count: Int) -> String {
        String(repeating: text, count: count)
    }

    static func items(_ count: Int) -> String {
        (0..<count).map { "a\($0)=1" }.joined(separator: "&")
    }
}
