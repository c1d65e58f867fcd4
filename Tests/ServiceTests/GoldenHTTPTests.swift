import Fixtures
import Foundation
import Operators
import Testing

/// Catches what lies between a right kernel and a right answer: decoding, negotiation, row order,
/// encoding. Every golden case over HTTP, in JSON and binary, forward and VJP.
@Suite struct GoldenHTTPTests {
    private struct Answer: Decodable {
        let shape: [Int]
        let indptr: [Int]
        let indices: [Int]
        let data: [Double]
    }

    @Test("golden cases over JSON", arguments: [DType.float32, .float64])
    func json(_ dtype: DType) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        var compared = 0
        for golden in GoldenCase.load(dtype) {
            let p = golden.pValue == 4.0 / 3 ? "\"4/3\"" : "\(golden.pValue)"
            let common = """
                "x": \(golden.x), "k": \(golden.k), "lambda": \(golden.lam), "p": \(p), \
                "operator": "\(golden.operatorName)", "dtype": "\(dtype.rawValue)"
                """
            let forward = try client.post("/topk", json: "{\(common)}")
            let vjp = try client.post("/topk/vjp", json: "{\(common), \"cotangent\": \(golden.c)}")
            guard golden.k >= 1 else {
                #expect(forward.status == 422 && vjp.status == 422, "k = 0 is refused")
                continue
            }
            #expect(forward.status == 200 && vjp.status == 200, "\(golden): \(forward.text)")
            try check(golden, dtype, row(forward), row(vjp))
            compared += 1
        }
        #expect(compared > 60)
    }

    private func row(_ response: HTTPClient.Response) throws -> [Double] {
        let answer = try JSONDecoder().decode(Answer.self, from: Data(response.body))
        var row = [Double](repeating: 0, count: answer.shape[0])
        #expect(answer.indptr == [0, answer.data.count])
        for (index, value) in zip(answer.indices, answer.data) { row[index] = value }
        return row
    }

    @Test("golden cases over octet-stream, dense and csr", arguments: [DType.float32, .float64])
    func octetStream(_ dtype: DType) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let headers = [("Content-Type", "application/octet-stream")]
        for golden in GoldenCase.load(dtype) where golden.k >= 1 {
            let p = golden.pValue == 4.0 / 3 ? "4/3" : "\(golden.pValue)"
            let query =
                "n=\(golden.n)&k=\(golden.k)&lambda=\(golden.lam)&p=\(p)&dtype=\(dtype.rawValue)"
                + "&operator=\(golden.operatorName)"
            let forward = try client.request(
                "POST", "/topk?\(query)&format=dense", headers: headers,
                body: Wire.bytes(golden.x, dtype))
            let vjp = try client.request(
                "POST", "/topk/vjp?\(query)", headers: headers,
                body: Wire.bytes(golden.x + golden.c, dtype))
            #expect(forward.status == 200 && vjp.status == 200, "\(golden): \(forward.text)")
            let y = Wire.numbers(forward.body, dtype)
            let gradient = try #require(Wire.dense(vjp, rowLength: golden.n))
            try check(golden, dtype, y, gradient[0])
        }
    }

    private func check(
        _ golden: GoldenCase, _ dtype: DType, _ y: [Double], _ gradient: [Double]
    ) throws {
        #expect(y.count == golden.n && gradient.count == golden.n)
        let tolerance = golden.answerTolerance(dtype)
        for (actual, expected) in zip(y, golden.y) {
            #expect(abs(actual - expected) <= tolerance, "\(golden) y")
        }
        guard let tolerance = golden.gradientTolerance(dtype) else { return }
        for (actual, expected) in zip(gradient, golden.vjp) {
            #expect(abs(actual - expected) <= tolerance, "\(golden) vjp")
        }
    }
}
