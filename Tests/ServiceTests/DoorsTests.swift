import Fixtures
import Foundation
import Testing

/// Catches a seam that no longer carries what it promises: each toy is one file and one line, and
/// reachable over HTTP like what is built in.
@Suite struct DoorsTests {
    private static let octets = "application/octet-stream"

    private func tree(_ response: HTTPClient.Response) throws -> JSONTree {
        try JSONDecoder().decode(JSONTree.self, from: Data(response.body))
    }

    @Test("an operator with chance answers every request anew, in every encoding")
    func chance() throws {
        let service = try LiveService(doors: .withToys)
        defer { service.stop() }
        let client = try service.client()
        let x = (0..<40).map { Double($0 + 1) }
        var seen: Set<[Double]> = []
        for _ in 0..<20 {
            let answer = try client.post(
                "/topk", json: "{\"operator\": \"random_pick\", \"x\": \(x), \"k\": 5}")
            #expect(answer.status == 200, "\(answer.text)")
            let columns = try tree(answer)["indices"]?.numbers ?? []
            #expect(columns.count == 5 && Set(columns).count == 5 && columns == columns.sorted())
            #expect(try tree(answer)["data"]?.numbers == columns.map { $0 + 1 })
            seen.insert(columns)
        }
        #expect(seen.count > 10)
        let raw = try client.request(
            "POST", "/topk?operator=random_pick&n=40&k=5&format=dense",
            headers: [("Content-Type", Self.octets)], body: Wire.bytes(x, .float32))
        #expect(Wire.numbers(raw.body, .float32).filter { $0 != 0 }.count == 5)
        let vjp = try client.post(
            "/topk/vjp", json: "{\"operator\":\"random_pick\",\"x\":[1],\"k\":1,\"cotangent\":[1]}")
        try BadInputTests.check(vjp, 422, "no_such_direction", "operator")
    }

    @Test("an operator with edges searches, says how it ended, and names a bad edge")
    func edges() throws {
        let service = try LiveService(doors: .withToys)
        defer { service.stop() }
        let client = try service.client()
        func post(_ members: String) throws -> HTTPClient.Response {
            try client.post("/topk", json: "{\"operator\": \"graph_search\", \(members)}")
        }
        let answer = try post("\"x\": [4, 5, 3], \"edges\": [[0, 1], [1, 2]]")
        let found = try tree(answer)
        #expect(found["indices"]?.numbers == [0, 2] && found["data"]?.numbers == [4, 3])
        #expect(found["total"]?.numbers == [7], "\(answer.text)")
        #expect(found["ended"] == .list([.text("optimal")]) || found["ended"] == .text("optimal"))
        let free = try tree(post("\"x\": [4, 5, 3], \"edges\": []"))
        #expect(free["total"]?.numbers == [12])
        let limited = try post("\"x\": [1, 1, 1, 1], \"edges\": [], \"node_limit\": 2")
        #expect(limited.text.contains("\"limit\""))
        let far = try post("\"x\": [1, 2], \"edges\": [[0, 1], [0, 7]]")
        try BadInputTests.check(far, 422, "out_of_range", "edges", 1)
        #expect(far.text.contains("edges[1][1]"))
        let odd = try post("\"x\": [1, 2], \"edges\": [[0, 1, 1]]")
        try BadInputTests.check(odd, 422, "wrong_shape", "edges")
        let missing = try post("\"x\": [1, 2]")
        try BadInputTests.check(missing, 422, "missing_parameter", "edges")
    }

    @Test("work without x has a route of its own, and its state comes in and goes out")
    func state() throws {
        let service = try LiveService(doors: .withToys)
        defer { service.stop() }
        let client = try service.client()
        var state = "{\"count\": 3}"
        for expected in [5.0, 7] {
            let answer = try client.post(
                "/counter/next", json: "{\"state\": \(state), \"step\": 2}")
            #expect(answer.status == 200, "\(answer.text)")
            let found = try tree(answer)
            #expect(found["state"]?["count"]?.value == expected)
            #expect(found["note"] == .text("a \"toy\"\n") && found["isEven"] == .bool(false))
            #expect(found["steps"]?.numbers == [expected - 2, expected])
            state = "{\"count\": \(Int(expected))}"
        }
        let forged = try client.post("/counter/next", json: "{\"state\": [1, {\"count\": 3}]}")
        try BadInputTests.check(forged, 422, "incompatible_parameters", "state")
        let unknown = try client.post("/counter/next", json: "{\"state\": {}, \"x\": [1]}")
        try BadInputTests.check(unknown, 422, "unknown_parameter", "x")
        let range = try client.post("/counter/next", json: "{\"state\": {}, \"step\": 0}")
        try BadInputTests.check(range, 422, "out_of_range", "step")
        let raw = try client.request(
            "POST", "/counter/next", headers: [("Content-Type", Self.octets)], body: [])
        try BadInputTests.check(raw, 415, "unsupported_media_type", "Content-Type")
        let twice = try client.post(
            "/counter/next", json: "{\"state\": {\"count\": 1, \"count\": 2}}")
        #expect(twice.status == 400)
        let metrics = try client.request("GET", "/metrics").text
        #expect(metrics.contains("operator=\"counter\",direction=\"next\""))
    }

    @Test("an encoding with a header, whose numbers lie odd, serves every operator")
    func encoding() throws {
        let service = try LiveService(doors: .withToys)
        defer { service.stop() }
        let client = try service.client()
        let numbers = Wire.bytes([3, 1, 2, 1.9375, 1, 1, 1, 0], .float32)
        // The header's length is no multiple of 4.
        let head = "x float32 4\ncotangent float32 1 4\n\n"
        func post(_ target: String, _ body: [UInt8]) throws -> HTTPClient.Response {
            try client.request(
                "POST", target, headers: [("Content-Type", "application/x-toy")], body: body)
        }
        let one = Array("x float32 1 4\n\n".utf8) + numbers.prefix(16)
        let forward = try post("/topk?k=2&lambda=0.1&p=2", one)
        #expect(forward.status == 200, "\(forward.text)")
        #expect(forward.text.hasPrefix("indptr int32 2\nindices int32 3\ndata float32 3\n\n"))
        #expect(Array(forward.body.suffix(12)) == Wire.bytes([1, 0.8125, 0.1875], .float32))
        let vjp = try post("/topk/vjp?k=2&lambda=0.1&p=2", Array(head.utf8) + numbers)
        #expect(Array(vjp.body.suffix(8)) == Wire.bytes([5, -5], .float32), "\(vjp.text)")
        let mixed = try post(
            "/topk/vjp?k=2",
            Array("x float32 4\ncotangent float16 4\n\n".utf8) + numbers.prefix(24))
        try BadInputTests.check(mixed, 422, "wrong_type", "cotangent")
        let typed = Array("x float64 2\n\n".utf8) + Wire.bytes([1, 5], .float64)
        #expect(try post("/topk?k=1&lambda=0", typed).text.contains("data float64 1\n"))
        #expect(try post("/topk?k=1", Array("x float32 9\n\n".utf8)).status == 422)
        let metrics = try client.request("GET", "/metrics").text
        #expect(metrics.contains("topkd_codec_requests_total{codec=\"toy\"} 5"))
    }

    @Test("a protocol has its own routes, envelope and errors, and the same operators")
    func ownProtocol() throws {
        let service = try LiveService(doors: .withToys)
        defer { service.stop() }
        let client = try service.client()
        func post(_ path: String, _ lines: String) throws -> HTTPClient.Response {
            try client.request("POST", path, body: Array(lines.utf8))
        }
        let rows = "k 2\nlambda 0.1\np 2\nx 3 1 2 1.9375\nx 0.5 0.25 9 0.75\n"
        let forward = try post("/toy/mask/forward", rows)
        #expect(forward.text == "0:1.0 2:0.8125 3:0.1875 \n2:1.0 3:1.0 \n")
        #expect(forward.header("Content-Type") == "text/x-toy")
        let vjp = try post(
            "/toy/mask/vjp", "k 2\nlambda 0.1\np 2\nx 3 1 2 1.9375\ncotangent 1 1 1 0\n")
        #expect(vjp.text == "2:5.0 3:-5.0 \n")
        let bad = try post("/toy/mask/forward", "k 9\nx 1 2\n")
        #expect(bad.status == 422 && bad.text.hasPrefix("out_of_range k: k must be"), "\(bad.text)")
        let nobody = try post("/toy/nobody/forward", "k 1\nx 1 2\n")
        #expect(nobody.status == 404 && nobody.header("Content-Type") == "text/x-toy")
        let metrics = try client.request("GET", "/metrics").text
        #expect(
            metrics.contains(
                "{route=\"/toy/{operator}/{procedure}\",method=\"POST\",code=\"200\"} 2\n"))
    }
}
