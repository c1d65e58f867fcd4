/// Where the service does not do what it should: each with what happens instead. Run them with
/// TOPKD_KNOWN=1; one that passes belongs to its table.
enum KnownCases {
    static let all = wording

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
        // 422 out_of_range, "must be a number of at least 0 and is inf": that is at least 0. In
        // JSON it is 400 number_too_large.
        HostileCase(
            "raw: lambda = 1e400", Text.octets("n=3&k=1&lambda=1e400", Text.zeros(12)),
            [400, 422], .keeps, "number_too_large"),
    ]
}
