import Fixtures
import Operators
import Testing

/// Catches sizes that lie, and headers that do not fit: each is one clear error, nothing else is
/// lost.
@Suite struct BadBinaryTests {
    struct Case: CustomStringConvertible, Sendable {
        let name: String
        let target: String
        let byteCount: Int
        let status: Int
        let code: String
        var field: String?
        var description: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "no n", target: "/topk?k=1", byteCount: 8, status: 422, code: "missing_parameter",
            field: "n"),
        Case(
            name: "half a row", target: "/topk?n=4&k=1", byteCount: 24, status: 422,
            code: "wrong_body_length", field: "body"),
        Case(
            name: "half a number", target: "/topk?n=1&k=1", byteCount: 3, status: 422,
            code: "wrong_body_length", field: "body"),
        Case(
            name: "no bytes", target: "/topk?n=4&k=1", byteCount: 0, status: 422,
            code: "wrong_body_length", field: "body"),
        Case(
            name: "shape and body disagree", target: "/topk?shape=2,4&k=1", byteCount: 16,
            status: 422, code: "wrong_body_length", field: "body"),
        Case(
            name: "vjp without its cotangent", target: "/topk/vjp?n=4&k=1", byteCount: 16,
            status: 422, code: "wrong_body_length", field: "body"),
        Case(
            name: "w is for JSON", target: "/topk?n=4&w=1,0,0,0", byteCount: 16, status: 400,
            code: "misplaced_parameter", field: "w"),
        Case(
            name: "half of a 16-bit number", target: "/topk?n=1&k=1&dtype=float16", byteCount: 3,
            status: 422, code: "wrong_body_length", field: "body"),
        Case(
            name: "tangents for vjp", target: "/topk/vjp?n=1&k=1&tangents=1", byteCount: 8,
            status: 400, code: "misplaced_parameter", field: "tangents"),
        Case(
            name: "no tangents", target: "/topk/jvp?n=1&k=1&tangents=0", byteCount: 8,
            status: 422, code: "out_of_range", field: "tangents"),
        Case(
            name: "largest in other words", target: "/topk?n=2&k=1&largest=no", byteCount: 8,
            status: 422, code: "wrong_type", field: "largest"),
        Case(
            name: "B*n overflows", target: "/topk?shape=1099511627776,2147483647&k=1", byteCount: 8,
            status: 422, code: "too_many_elements", field: "shape"),
        Case(
            name: "n beyond int32", target: "/topk?n=2147483648&k=1", byteCount: 8, status: 422,
            code: "out_of_range", field: "n"),
        Case(
            name: "n of 30 digits", target: "/topk?n=999999999999999999999999999999&k=1",
            byteCount: 8, status: 422, code: "out_of_range", field: "n"),
        Case(
            name: "n negative", target: "/topk?n=-4&k=1", byteCount: 16, status: 422,
            code: "wrong_type", field: "n"),
        Case(
            name: "n = 0", target: "/topk?n=0&k=1", byteCount: 16, status: 422,
            code: "out_of_range",
            field: "n"),
        Case(
            name: "cotangents = 0", target: "/topk/vjp?n=2&k=1&cotangents=0", byteCount: 16,
            status: 422, code: "out_of_range", field: "cotangents"),
        Case(
            name: "cotangents on forward", target: "/topk?n=2&k=1&cotangents=1", byteCount: 16,
            status: 400, code: "misplaced_parameter", field: "cotangents"),
        Case(
            name: "n and shape", target: "/topk?n=2&shape=2&k=1", byteCount: 8, status: 400,
            code: "invalid_query"),
        Case(
            name: "shape of three axes", target: "/topk?shape=1,1,2&k=1", byteCount: 8, status: 422,
            code: "wrong_shape", field: "shape"),
        Case(
            name: "k above n", target: "/topk?n=2&k=3", byteCount: 8, status: 422,
            code: "out_of_range", field: "k"),
        Case(
            name: "k = nan", target: "/topk?n=2&k=nan", byteCount: 8, status: 422,
            code: "wrong_type", field: "k"),
        Case(
            name: "lambda = inf", target: "/topk?n=2&k=1&lambda=inf", byteCount: 8, status: 422,
            code: "wrong_type", field: "lambda"),
        Case(
            name: "k = 0x1", target: "/topk?n=2&k=0x1", byteCount: 8, status: 422,
            code: "wrong_type", field: "k"),
        Case(
            name: "k twice", target: "/topk?n=2&k=1&k=1", byteCount: 8, status: 400,
            code: "duplicate_key", field: "k"),
        Case(
            name: "k without =", target: "/topk?n=2&k", byteCount: 8, status: 400,
            code: "invalid_query"),
        Case(
            name: "bad escape", target: "/topk?n=2&k=%zz", byteCount: 8, status: 400,
            code: "invalid_query"),
        Case(
            name: "not UTF-8", target: "/topk?n=2&k=%ff", byteCount: 8, status: 400,
            code: "invalid_query"),
        Case(
            name: "unknown parameter", target: "/topk?n=2&k=1&q=1", byteCount: 8, status: 422,
            code: "unknown_parameter", field: "q"),
        Case(
            name: "x in the query", target: "/topk?n=2&k=1&x=1", byteCount: 8, status: 400,
            code: "misplaced_parameter", field: "x"),
    ]

    @Test("bad binary requests are refused by name, and the connection lives on", arguments: cases)
    func refuses(_ bad: Case) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let headers = [("Content-Type", "application/octet-stream")]
        let body = [UInt8](repeating: 0, count: bad.byteCount)
        let response = try client.request("POST", bad.target, headers: headers, body: body)
        try BadInputTests.check(response, bad.status, bad.code, bad.field)
        let good = try client.request(
            "POST", "/topk?n=2&k=1", headers: headers, body: Wire.bytes([1, 2], .float32))
        #expect(good.status == 200)
    }

    // Catches: a long body, looked at while it arrives, of which some numbers were not; -inf that
    // is refused there.
    @Test("NaN in a long body is named by row and column")
    func longBody() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let headers = [("Content-Type", "application/octet-stream")]
        for index in [0, 30_001, 39_999] {
            var x = [Double](repeating: 1, count: 40_000)
            x[index] = .nan
            let response = try client.request(
                "POST", "/topk?n=1000&k=1", headers: headers, body: Wire.bytes(x, .float32))
            try BadInputTests.check(response, 422, "not_finite", "x", index / 1000, index % 1000)
            x[index] = -.infinity
            let good = try client.request(
                "POST", "/topk?n=1000&k=1", headers: headers, body: Wire.bytes(x, .float32))
            #expect(good.status == 200)
        }
    }

    @Test("NaN and +inf among raw numbers are named by row and column")
    func notFinite() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let headers = [("Content-Type", "application/octet-stream")]
        for bad in [Double.nan, Double.infinity] {
            var x = [Double](repeating: 1, count: 30)
            x[17] = bad
            let response = try client.request(
                "POST", "/topk?n=10&k=1", headers: headers, body: Wire.bytes(x, .float32))
            try BadInputTests.check(response, 422, "not_finite", "x", 1, 7)
        }
    }

    @Test("wrong headers are refused before the body is looked at")
    func headers() throws {
        let service = try LiveService { $0.limits.bodyBytesMax = 1 << 22 }
        defer { service.stop() }
        let body = Array(#"{"x": [1], "k": 1}"#.utf8)
        let json = ("Content-Type", "application/json")
        let client = try service.client()
        func post(_ headers: [(String, String)], _ target: String = "/topk") throws
            -> HTTPClient.Response
        {
            try client.request("POST", target, headers: headers, body: body)
        }
        try BadInputTests.check(post([]), 415, "unsupported_media_type", "Content-Type")
        let form = try post([("Content-Type", "application/x-www-form-urlencoded")])
        try BadInputTests.check(form, 415, "unsupported_media_type", "Content-Type")
        #expect(
            form.text.contains("-H 'Content-Type: application/json'"), "the flag to add to curl")
        try BadInputTests.check(
            post([json, ("Content-Encoding", "br")]), 415, "unsupported_content_encoding",
            "Content-Encoding")
        try BadInputTests.check(
            post([json, ("Accept", "text/html")]), 406, "not_acceptable", "Accept")
        try BadInputTests.check(post([json], "/nothing"), 404, "not_found", nil)
        let wrongMethod = try client.request("PUT", "/topk", headers: [json], body: body)
        try BadInputTests.check(wrongMethod, 405, "method_not_allowed", nil)
        #expect(wrongMethod.header("Allow") == "POST")
        let get = try client.request("GET", "/topk")
        try BadInputTests.check(get, 405, "method_not_allowed", nil)
        #expect(try client.request("HEAD", "/livez").status == 200)
        #expect(try post([("Content-Type", "Application/JSON; charset=utf-8")]).status == 200)
    }

    @Test("an oversized body is refused before it is sent, and the connection closed")
    func oversized() throws {
        let service = try LiveService { $0.limits.bodyBytesMax = 1 << 22 }
        defer { service.stop() }
        let client = try service.client()
        client.send(
            "POST /topk HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                + "Content-Length: 4194305\r\nExpect: 100-continue\r\n\r\n")
        try BadInputTests.check(client.readResponse(), 413, "body_too_large", "Content-Length")
        #expect(client.isClosedByServer())
    }
}
