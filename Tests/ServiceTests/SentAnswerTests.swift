import Fixtures
import Foundation
import Glibc
import Operators
import Testing

/// Catches an answer that has something of another one: numbers, a length, a request's own headers,
/// a word for another connection.
@Suite struct SentAnswerTests {
    private struct Dense: Decodable {
        let data: [[Float]]
    }

    /// Rows of small whole numbers: their counts of non-zeros, widths and lengths come again and
    /// again, and seldom twice in a row.
    @Test(
        "answers to many clients at once are their own",
        arguments: ["format=csr", "format=csr&index_dtype=int64", "format=dense", "format=padded"])
    func ownAnswers(_ layout: String) throws {
        let service = try LiveService()
        defer { service.stop() }
        let clients = try (0..<3).map { _ in try service.client() }
        let reference = try service.client()
        var random = SplitMix64(seed: 5)
        for round in 0..<60 {
            let n = 5 + round % 2
            // All are on their way before the first is read.
            let batches = clients.map { _ in
                (0..<2).map { _ in
                    (0..<n).map { _ in Double(Int.random(in: 0...4, using: &random)) }
                }
            }
            for (index, (client, x)) in zip(clients, batches).enumerated() {
                let body = Wire.bytes(x.flatMap { $0 }, .float32)
                let head =
                    "POST /topk?n=\(n)&k=2&lambda=1&p=2&\(layout) HTTP/1.1\r\nHost: t\r\n"
                    + "X-Request-Id: r\(round)-\(index)\r\nContent-Length: \(body.count)\r\n"
                    + "Content-Type: application/octet-stream\r\n\r\n"
                client.send(Array(head.utf8) + body)
            }
            for (index, (client, x)) in zip(clients, batches).enumerated() {
                let answer = try client.readResponse()
                let text = try reference.post(
                    "/topk",
                    json:
                        "{\"x\":\(x),\"k\":2,\"lambda\":1,\"p\":2,\"format\":\"dense\"}"
                )
                let expected = try JSONDecoder().decode(Dense.self, from: Data(text.body)).data
                #expect(
                    rows(answer, n)?.map { $0.map { Float($0) } } == expected, "\(layout): \(x)")
                for name in ["X-Request-Id", "Server-Timing", "Topk-Nnz", "Content-Type"] {
                    let lines = answer.headers.filter { $0.name == name }
                    #expect(lines.count == 1, "\(name): \(lines)")
                }
                #expect(answer.header("Topk-Shape") == "2,\(n)")
                #expect(answer.header("X-Request-Id") == "r\(round)-\(index)")
            }
        }
    }

    private func rows(_ answer: HTTPClient.Response, _ n: Int) -> [[Double]]? {
        guard let sections = Wire.sections(answer), let data = sections["data"] else { return nil }
        if sections["indptr"] != nil { return Wire.dense(answer, rowLength: n) }
        guard let indices = sections["indices"] else {
            return [Array(data.prefix(n)), Array(data.dropFirst(n))]
        }
        let width = data.count / 2
        return (0..<2).map { row in
            var dense = [Double](repeating: 0, count: n + 1)
            for entry in row * width..<(row + 1) * width {
                dense[Int(indices[entry])] = data[entry]
            }
            return Array(dense.prefix(n))
        }
    }

    @Test("an answer that closed its connection closes no other one")
    func closing() throws {
        let service = try LiveService { $0.limits.connectionAgeMaxSeconds = 1 }
        defer { service.stop() }
        let old = try service.client()
        usleep(1_200_000)
        let body = Wire.bytes([3, 1, 2], .float32)
        func post(_ client: HTTPClient) throws -> HTTPClient.Response {
            try client.request(
                "POST", "/topk?n=3&k=1&lambda=1&p=2",
                headers: [("Content-Type", "application/octet-stream")], body: body)
        }
        let last = try post(old)
        #expect(last.header("Connection")?.lowercased() == "close")
        let young = try service.client()
        for _ in 0..<3 {
            let answer = try post(young)
            #expect(answer.header("Connection")?.lowercased() != "close")
            #expect(answer.body == last.body)
        }
    }
}
