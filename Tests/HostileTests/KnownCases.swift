/// Where the service does not do what it should: each with what happens instead. Run them with
/// TOPKD_KNOWN=1; one that passes belongs to its table.
enum KnownCases {
    static let all = smuggling + truncation + hangs + wording

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
        // Taken for an empty line, and then the request.
        HostileCase(
            "a line of NULs before", Text.zeros(64) + "\r\n" + Text.get("/livez"), [400],
            .closes),
        // RFC 9112 3.2: 400.
        HostileCase("no Host", "GET /livez HTTP/1.1\r\n\r\n", [400], .closes),
        // RFC 9112 3.2.2: a server MUST accept it. Here 404.
        HostileCase("absolute-form", Text.get("http://t/livez"), [200], .keeps),
    ]

    /// No answer and no close: the connection stays until --connection-timeout-seconds.
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

    private static let wording: [HostileCase] = [
        // libmicrohttpd's own answer comes with its head twice: the second is read as the body,
        // which is cut.
        HostileCase(
            "one head for a malformed length", Text.post("Content-Length: x\r\n"), [400], .closes),
        HostileCase(
            "one head for too long a cookie",
            Text.get("/livez", "Cookie: " + LineCases.run("a=1; ", 5000) + "\r\n"),
            [200, 431], .either),
        // A space behind a value is no part of it (RFC 9110 5.5). Here 400.
        HostileCase(
            "a space behind a length", Text.post("Content-Length: 19 \r\n"), [200], .keeps),
        // 422, "x[1] must be a number, and is null".
        HostileCase(
            "JSON: nan", Text.json(#"{"x":[3,nan],"k":1}"#), [400], .keeps, "invalid_json"),
        // 422 out_of_range, "must be a number of at least 0 and is inf": that is at least 0. In
        // JSON it is 400 number_too_large.
        HostileCase(
            "raw: lambda = 1e400", Text.octets("n=3&k=1&lambda=1e400", Text.zeros(12)),
            [400, 422], .keeps, "number_too_large"),
        // 200; as n it is refused, and in JSON it is no number.
        HostileCase(
            "raw: k = %2B1", Text.octets("n=3&k=%2B1", Text.zeros(12)), [422], .keeps,
            "wrong_type"),
    ]
}
