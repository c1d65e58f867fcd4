/// Header lines: their ends, their names, their values, their number.
enum HeaderCases {
    static let all = hosts + names + values + counts

    private static let hosts: [HostileCase] = [
        HostileCase(
            "two hosts", Text.get("/livez", "Host: other\r\n"), [400], .closes, "invalid_header"),
        HostileCase("two equal hosts", Text.get("/livez", Text.host), [400], .closes),
        HostileCase(
            "two hosts in other case", Text.get("/livez", "hOST: t\r\n"), [400], .closes),
        HostileCase(
            "two hosts, one of them empty", Text.get("/livez", "Host:\r\n"), [400], .closes),
        HostileCase(
            "host with a space before the colon", Text.get("/livez", "Host : t\r\n"), [400],
            .closes),
        // Host is not used here; its value is the proxy's concern.
        HostileCase("empty host", "GET /livez HTTP/1.1\r\nHost:\r\n\r\n", [200, 400], .either),
        HostileCase(
            "host with a path", "GET /livez HTTP/1.1\r\nHost: t/../x\r\n\r\n", [200, 400],
            .either),
        HostileCase(
            "host with a control byte", "GET /livez HTTP/1.1\r\nHost: t\u{1}\r\n\r\n", [400],
            .closes),
    ]

    private static let names: [HostileCase] = [
        header("space before the colon", "X : y", [400], .closes, "invalid_header"),
        header("tab before the colon", "X\t: y", [400], .closes, "invalid_header"),
        header("no colon", "X", [400], .closes),
        header("no colon, many words", "X y z", [400], .closes),
        header("a space in the name", "X Y: z", [400], .closes),
        header("parentheses in the name", "X(Y): z", [400], .closes, "invalid_header"),
        header("@ in the name", "X@Y: z", [400], .closes, "invalid_header"),
        header("slash in the name", "X/Y: z", [400], .closes, "invalid_header"),
        header("quotes in the name", "\"X\": y", [400], .closes, "invalid_header"),
        header("control byte in the name", "X\u{1}: y", [400], .closes, "invalid_header"),
        header("DEL in the name", "X\u{7f}: y", [400], .closes, "invalid_header"),
        header("byte beyond ASCII in the name", "X\u{e9}: y", [400], .closes, "invalid_header"),
        header("every byte a name may hold", "!#$%&'*+-.^_`|~09azAZ: y", [200], .keeps),
        header("a name twice", "X: y\r\nX: z", [200], .keeps),
        header("first line folded", " X: y", [200, 400], .either),
        header("folded with a space", "X: y\r\n z", [200, 400], .either),
        header("folded with a tab", "X: y\r\n\tz", [200, 400], .either),
        header("folded often", "X: y" + LineCases.run("\r\n z", 100), [200, 400], .either),
        header(
            "a request hidden in a fold", "X: y\r\n GET /smuggled HTTP/1.1", [200, 400], .either),
        header("bare LF", "X: y\nZ: w", [200, 400], .either),
        header(
            "all lines with bare LF", "X: y\n\nGET /smuggled HTTP/1.1\nHost: t", [400], .closes,
            "invalid_header"),
    ]

    private static let values: [HostileCase] = [
        header("empty", "X:", [200], .keeps), header("spaces", "X:      ", [200], .keeps),
        header("colons", "X: ::::", [200], .keeps),
        header("a tab inside", "X: y\tz", [200], .keeps),
        header("bytes beyond ASCII", "X: \u{e9}\u{ff}\u{80}", [200], .keeps),
        header("control byte", "X: y\u{1}z", [400], .closes, "invalid_header"),
        header("vertical tab", "X: y\u{b}z", [400], .closes, "invalid_header"),
        header("escape", "X: \u{1b}[2J", [400], .closes, "invalid_header"),
        header("DEL", "X: y\u{7f}", [400], .closes, "invalid_header"),
        header("control byte at the end", "X: y\u{1f}", [400], .closes, "invalid_header"),
        header("id with markup", "X-Request-Id: <script>", [200], .keeps),
        header("id of 10,000 bytes", "X-Request-Id: " + LineCases.run("a", 10_000), [200], .keeps),
        header("id beyond ASCII", "X-Request-Id: \u{ff}\u{fe}", [200], .keeps),
        header("connection unknown", "Connection: purple", [200], .keeps),
        header("upgrade", "Connection: Upgrade\r\nUpgrade: h2c", [200], .keeps),
        header("websocket", "Connection: Upgrade\r\nUpgrade: websocket", [200], .keeps),
        header("connection names a header", "Connection: Host, Content-Length", [200], .keeps),
        header("range", "Range: bytes=0-99999999999999999999", [200], .keeps),
        header("cookie", "Cookie: a=b; a=c; =; ;;", [200], .keeps),
        header("authorization", "Authorization: Basic !!!", [200], .keeps),
    ]

    private static func header(
        _ name: String, _ lines: String, _ status: Set<Int>, _ end: HostileCase.End,
        _ code: String? = nil
    ) -> HostileCase {
        HostileCase("header: " + name, Text.get("/livez", lines + "\r\n"), status, end, code)
    }

    private static let counts: [HostileCase] = [
        header("100 of them", lines(100), [200], .keeps),
        header("300 of them", lines(300), [200], .keeps),
        header("10,000 of them", lines(10_000), [413, 431], .closes),
        header("name of 8,000 bytes", LineCases.run("x", 8000) + ": y", [200], .keeps),
        header("name of 200,000 bytes", LineCases.run("x", 200_000) + ": y", [413, 431], .closes),
        header("value of 8,000 bytes", "X: " + LineCases.run("y", 8000), [200], .keeps),
        header("value of 200,000 bytes", "X: " + LineCases.run("y", 200_000), [413, 431], .closes),
        header("name without an end", LineCases.run("x", 200_000), [413, 431], .closes),
        header(
            "folded without an end", "X: y" + LineCases.run("\r\n z", 50_000), [413, 431], .closes),
        header(
            "Accept with 5,000 ranges", "Accept: " + LineCases.run("a/b,", 5000), [200], .keeps),
        HostileCase(
            "header: Accept with 5,000 ranges on /topk",
            Text.json(Text.body, headers: "Accept: " + LineCases.run("a/b,", 5000) + "\r\n"),
            [406], .keeps, "not_acceptable"),
    ]

    private static func lines(_ count: Int) -> String {
        (0..<count).map { "X-\($0): \($0)" }.joined(separator: "\r\n")
    }
}
