/// What libmicrohttpd 0.9.75 hides from its handler: found by where it left the lines in memory.
enum ParserCases {
    static let all = smuggling + truncation + hangs

    /// libmicrohttpd 0.9.75 reads these otherwise than RFC 9112 does, and runs a second request.
    private static let smuggling: [HostileCase] = [
        // A folded line is joined to the header's NAME: "Content-Length35: ", so there is no
        // length, and the body runs as a request.
        HostileCase(
            "length folded, on GET",
            Text.get("/livez", "Content-Length:\r\n 35\r\n") + Text.smuggled, [200, 400],
            .either),
        HostileCase(
            "length folded, on POST",
            Text.post("Content-Length:\r\n 35\r\n", Text.smuggled), [400], .either),
        HostileCase(
            "length folded in the middle",
            Text.post(
                "Content-Length: 1\r\n 9\r\n",
                Text.body + Text.smuggled), [400], .closes),
        HostileCase(
            "encoding folded beside a length",
            Text.post(
                "Content-Length: 19\r\nTransfer-Encoding:\r\n chunked\r\n",
                Text.body + Text.smuggled), [400, 501], .closes),
        // And the other way: "Content: 19" with "-Length" on the next line is a length.
        HostileCase(
            "a fold makes a length of another header",
            Text.post("Content: 19\r\n -Length\r\n", Text.body), [400, 411], .either),
        // A line with an empty name ends the header: what follows is the body, or the next request.
        HostileCase(
            "an empty name, then a request line",
            Text.get("/livez", ": y\r\nGET /smuggled HTTP/1.1\r\nX: y\r\n"), [400], .closes),
        HostileCase(
            "an empty name before the body", Text.post("Content-Length: 19\r\n: y\r\n"), [400],
            .closes, "invalid_header"),
        HostileCase(
            "an empty name before a length",
            Text.post(": y\r\nContent-Length: 19\r\n", Text.body), [400], .closes,
            "invalid_header"),
    ]

    /// Bytes behind a NUL vanish, and the rest is taken (RFC 9110 5.5: refuse it).
    private static let truncation: [HostileCase] = [
        HostileCase(
            "NUL in a value", Text.get("/livez", "X: a\u{0}b\r\n"), [400], .closes),
        HostileCase(
            "NUL behind a length", Text.post("Content-Length: 19\u{0}9\r\n"), [400], .closes),
        HostileCase(
            "NUL behind an id", Text.get("/livez", "X-Request-Id: a\u{0}b\r\n"), [400], .closes),
        HostileCase(
            "NUL in the target", Text.get("/livez\u{0}/smuggled"), [400], .closes),
        HostileCase(
            "NUL in the method", "GET\u{0}X /livez HTTP/1.1\r\n" + Text.host + "\r\n", [400],
            .closes),
        HostileCase("NUL as a header line", Text.get("/livez", "\u{0}X: y\r\n"), [400], .closes),
        // The library writes NULs over line ends: afterwards these look like CRLF.
        HostileCase(
            "NUL LF before a length",
            Text.get("/livez", "X: y\u{0}\nContent-Length: 35\r\n") + Text.smuggled, [400],
            .closes, "invalid_header"),
        HostileCase(
            "NUL LF behind a length",
            Text.post("Content-Length: 19\u{0}\n"), [400], .closes, "invalid_header"),
        HostileCase(
            "NUL LF as the empty line",
            "GET /livez HTTP/1.1\r\n" + Text.host + "\u{0}\n"
                + Text.smuggled, [400], .closes, "invalid_header"),
        HostileCase(
            "LF NUL CRLF as the end of a header",
            "GET /livez HTTP/1.1\r\n" + Text.host + "X: y\n\u{0}\r\n" + Text.smuggled, [400],
            .closes, "invalid_header"),
        HostileCase(
            "NUL LF behind the version",
            "GET /livez HTTP/1.1\u{0}\n" + Text.host + "\r\n", [400], .closes),
        HostileCase(
            "NUL LF behind an empty value", Text.get("/livez", "X:\u{0}\n"), [400], .closes,
            "invalid_header"),
        HostileCase(
            "NUL LF before everything", "\u{0}\n" + Text.get("/livez"), [400], .closes,
            "invalid_header"),
        HostileCase(
            "a line of NULs before everything", Text.zeros(64) + "\r\n" + Text.get("/livez"), [400],
            .closes, "invalid_header"),
        // The same in what came together with a good request, and its body of NULs.
        HostileCase(
            "NUL LF behind another request",
            Text.octets("n=3&k=1", Text.zeros(12)) + Text.octets("n=3&k=1", Text.zeros(12))
                + Text.get("/livez", "X: y\u{0}\n"), sequence: [[200], [200], [400]], .closes,
            "invalid_header"),
        HostileCase(
            "NULs of bodies are no NULs of headers",
            "\r\n" + Text.octets("n=3&k=1", Text.zeros(12))
                + Text.octets("n=3&k=1", Text.zeros(12)) + Text.get("/livez"),
            sequence: [[200], [200], [200]], .keeps),
        // RFC 9112 3.2: 400.
        HostileCase("no Host", "GET /livez HTTP/1.1\r\n\r\n", [400], .closes),
    ]

    /// Its own look at the query would run out of memory and never answer.
    private static let hangs: [HostileCase] = [
        HostileCase(
            "1,001 query items", Text.get("/livez?" + LineCases.items(1001)), [200, 400, 414, 431],
            .either),
        HostileCase(
            "1,001 query items for /topk", Text.octets(LineCases.items(1001), Text.zeros(12)),
            [400, 414, 422, 431], .either),
        HostileCase(
            "3,000 bare & in a query", Text.get("/livez?" + LineCases.run("&", 3000)),
            [200, 400, 414, 431], .either),
    ]
}
