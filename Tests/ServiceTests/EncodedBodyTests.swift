import Fixtures
import Foundation
import Testing

/// Catches a compressed body that is read as it is, that grows without bound, or that is taken
/// although it is damaged.
@Suite struct EncodedBodyTests {
    private static let json = #"{"x": [3, 1, 2], "k": 1, "lambda": 0}"#

    /// Compresses with Python's standard library: an encoder that is not ours.
    private static func compressed(_ body: [UInt8], _ coding: String) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory
        let path = folder.appendingPathComponent("\(UInt64.random(in: 0 ... .max))").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(body).write(to: URL(fileURLWithPath: path))
        let module = coding == "gzip" ? "gzip" : "zlib"
        let code =
            "import \(module), sys; b = open(sys.argv[1], 'rb').read(); "
            + "open(sys.argv[1], 'wb').write(\(module).compress(b))"
        let run = try Command("/usr/bin/env", ["python3", "-c", code, path])
        try #require(run.status == 0, "\(run.output)")
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private func post(
        _ client: HTTPClient, _ body: [UInt8], _ coding: String, _ target: String = "/topk",
        _ type: String = "application/json"
    ) throws -> HTTPClient.Response {
        try client.request(
            "POST", target, headers: [("Content-Type", type), ("Content-Encoding", coding)],
            body: body)
    }

    @Test("gzip and deflate mean the body that they were made of", arguments: ["gzip", "deflate"])
    func roundTrip(_ coding: String) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let plain = try client.post("/topk", json: Self.json)
        let answer = try post(client, Self.compressed(Array(Self.json.utf8), coding), coding)
        #expect(answer.status == 200 && answer.body == plain.body)
        // Many times as large as its own, through several buffers.
        let zeros = [UInt8](repeating: 0, count: 4_000_000)
        let large = try post(
            client, Self.compressed(zeros, coding), coding, "/topk?n=1000&k=1&lambda=0",
            "application/octet-stream")
        #expect(large.status == 200 && large.header("Topk-Nnz") == "1000")
        let upper = try post(
            client, Self.compressed(Array(Self.json.utf8), coding), coding.uppercased())
        #expect(upper.status == 200)
        for none in ["", "identity"] {
            let answer = try post(client, Array(Self.json.utf8), none)
            #expect(answer.status == 200 && answer.body == plain.body, "'\(none)'")
        }
    }

    // Catches: a second member that is taken for damage, or not read.
    @Test("gzip may have members, as files that were put together have")
    func members() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let plain = try client.post("/topk", json: Self.json)
        let bytes = Array(Self.json.utf8)
        let parts: [[UInt8]] = [Array(bytes.prefix(9)), [], Array(bytes.dropFirst(9)), []]
        let body = try parts.flatMap { try Self.compressed($0, "gzip") }
        let answer = try post(client, body, "gzip")
        #expect(answer.status == 200 && answer.body == plain.body)
        let twice = try Self.compressed(bytes, "gzip")
        try BadInputTests.check(post(client, twice + twice, "gzip"), 400, "invalid_json", nil)
    }

    @Test("damaged, cut, or followed by more: a 400", arguments: ["gzip", "deflate"])
    func damaged(_ coding: String) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let good = try Self.compressed(Array(Self.json.utf8), coding)
        var broken = good
        broken[broken.count / 2] ^= 0xff
        var bodies = [
            [], [0], Array(Self.json.utf8), broken, Array(good.dropLast()), good + [0],
            good + Array(good.dropLast()),
        ]
        if coding == "deflate" { bodies.append(good + good) }
        for body in bodies {
            try BadInputTests.check(
                post(client, body, coding), 400, "invalid_encoded_body", "Content-Encoding")
        }
        for name in ["br", "gzip, deflate", "gzip gzip"] {
            try BadInputTests.check(
                post(client, good, name), 415, "unsupported_content_encoding",
                "Content-Encoding")
        }
    }

    // Catches a 503 that asks to try again what can never succeed.
    @Test("what can never fit beside its compressed form is a 413, and what fits is answered")
    func budget() throws {
        let service = try LiveService {
            $0.limits.bodyBytesMax = 8 << 20
            $0.limits.inflightBytesMax = 8 << 20
        }
        defer { service.stop() }
        let client = try service.client()
        for (count, status) in [(2 << 20, 200), (8 << 20, 413)] {
            let body = try Self.compressed([UInt8](repeating: 0, count: count), "gzip")
            let answer = try post(
                client, body, "gzip", "/topk?n=262144&k=1&lambda=0", "application/octet-stream")
            #expect(answer.status == status, "\(count) \(answer.text.prefix(200))")
        }
    }

    // Catches a bomb that takes a worker for longer than its client waits.
    @Test("the deadline holds while a body inflates")
    func deadline() throws {
        let service = try LiveService()
        defer { service.stop() }
        let body = try Self.compressed([UInt8](repeating: 0, count: 200 << 20), "gzip")
        let answer = try service.client().request(
            "POST", "/topk?n=1024&k=1&lambda=0",
            headers: [
                ("Content-Type", "application/octet-stream"), ("Content-Encoding", "gzip"),
                ("Topk-Timeout-Ms", "30"),
            ], body: body)
        try BadInputTests.check(answer, 504, "deadline_passed", nil)
        #expect(answer.text.contains("stage decode") || answer.text.contains("stage queue"))
    }

    @Test("what becomes too large is a 413, and its memory comes back")
    func bomb() throws {
        let service = try LiveService { $0.limits.bodyBytesMax = 1 << 20 }
        defer { service.stop() }
        let client = try service.client()
        let target = "/topk?n=1024&k=1&lambda=0"
        let type = "application/octet-stream"
        for (count, status) in [(1 << 20, 200), ((1 << 20) + 4096, 413), (100 << 20, 413)] {
            let body = try Self.compressed([UInt8](repeating: 0, count: count), "gzip")
            let answer = try post(client, body, "gzip", target, type)
            #expect(answer.status == status, "\(count) \(answer.text.prefix(200))")
        }
        #expect(
            try client.request("GET", "/metrics").text.contains("topkd_inflight_bytes 0.0\n"))
    }
}
