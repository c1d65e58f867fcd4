import Fixtures
import Foundation
import Execution
import Operators
import Testing

/// Catches what a client sees beside the numbers: layout, negotiation, identity, batches over
/// workers.
@Suite struct ExchangeTests {
    private let octets = ("Content-Type", "application/octet-stream")

    @Test("the README's request answers in CSR, exactly")
    func readme() throws {
        let service = try LiveService()
        defer { service.stop() }
        let response = try service.client().post(
            "/topk",
            json: #"{"x": [[3.0, 1.0, 2.0], [0.5, 0.25, 9.0]], "k": 2, "lambda": 0.1, "p": 2}"#)
        let expected =
            #"{"operator":"mask","format":"csr","shape":[2,3],"dtype":"float32","#
            + #""indptr":[0,2,4],"indices":[0,2,0,2],"data":[1,1,1,1]}"#
        #expect(response.text == expected + "\n")
        #expect(response.header("Content-Type") == "application/json")
    }

    @Test("dense JSON nests as x does, with a leading axis for G cotangents")
    func denseShapes() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        func data(_ target: String, _ json: String) throws -> NSArray {
            let response = try client.post(target, json: json)
            let object = try JSONSerialization.jsonObject(with: Data(response.body))
            return try #require((object as? [String: Any])?["data"] as? NSArray, "\(response.text)")
        }
        let common = #""operator": "values", "lambda": 0, "format": "dense""#
        #expect(try data("/topk", "{\"x\": [3, 1], \"k\": 1, \(common)}") == [3, 0])
        #expect(try data("/topk", "{\"x\": [[3, 1]], \"k\": 1, \(common)}") == [[3, 0]])
        #expect(
            try data("/topk", "{\"x\": [[0, 1], [-2, -3]], \"k\": [2, 1], \(common)}")
                == [[0, 1], [-2, 0]])
        #expect(
            try data(
                "/topk/vjp", "{\"x\": [3, 1], \"k\": 1, \"cotangent\": [[1, 2], [5, 6]], \(common)}"
            )
                == [[1, 0], [5, 0]])
        #expect(
            try data(
                "/topk/vjp",
                "{\"x\": [[3, 1], [1, 3]], \"k\": 1, \(common), "
                    + "\"cotangent\": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}"
            )
                == [[[1, 0], [0, 4]], [[5, 0], [0, 8]]])
    }

    @Test("request and answer types are chosen independently")
    func negotiation() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let json = #"{"x": [[3, 1, 2]], "k": 1, "operator": "values", "lambda": 0}"#
        let binary = try client.post(
            "/topk", json: json, headers: [("Accept", "application/octet-stream")])
        let csr = try #require(Wire.csr(binary))
        #expect(csr.indptr == [0, 1] && csr.indices == [0] && csr.data == [3])
        let text = try client.request(
            "POST", "/topk?n=3&k=1",
            headers: [octets, ("Accept", "application/json;q=0.5, text/html")],
            body: Wire.bytes([3, 1, 2], .float32))
        #expect(text.header("Content-Type") == "application/json" && text.status == 200)
        let mirrored = try client.request(
            "POST", "/topk?n=3&k=1", headers: [octets, ("Accept", "*/*")],
            body: Wire.bytes([3, 1, 2], .float32))
        #expect(mirrored.header("Content-Type") == "application/octet-stream")
    }

    @Test("binary CSR has int32 or int64 indices, sections padded to 8 bytes", arguments: [4, 8])
    func indexTypes(_ byteCount: Int) throws {
        let service = try LiveService()
        defer { service.stop() }
        let x: [Double] = [3, 1, 2, 9, 8, 7]
        let response = try service.client().request(
            "POST", "/topk?n=3&k=1&operator=values&lambda=0&index_dtype=int\(8 * byteCount)",
            headers: [octets], body: Wire.bytes(x, .float32))
        let csr = try #require(Wire.csr(response))
        #expect(csr.indptr == [0, 1, 2] && csr.indices == [0, 0] && csr.data == [3, 9])
        #expect(response.body.count % 8 == 0)
        #expect(response.header("Topk-Shape") == "2,3" && response.header("Topk-Nnz") == "2")
    }

    @Test("a batch split over workers equals its rows alone, forward and with G cotangents")
    func split() throws {
        let service = try LiveService { $0.limits.workers = 4 }
        defer { service.stop() }
        let client = try service.client()
        var random = SplitMix64(seed: 77)
        let n = 1000
        let rows = 3 * Limits.blockElements / n + 5
        let x = random.normals(rows * n)
        let query = "n=\(n)&k=10&p=2&operator=magnitude&dtype=float64"
        let whole = try client.request(
            "POST", "/topk?\(query)", headers: [octets], body: Wire.bytes(x, .float64))
        let dense = try #require(Wire.dense(whole, rowLength: n))
        let c = random.normals(2 * rows * n)
        let stacked = try client.request(
            "POST", "/topk/vjp?\(query)&cotangents=2", headers: [octets],
            body: Wire.bytes(x + c, .float64))
        let gradients = try #require(Wire.dense(stacked, rowLength: n))
        #expect(dense.count == rows && gradients.count == 2 * rows)
        for row in [0, 64, 65, 66, 131, rows - 1] {
            let one = Array(x[row * n..<(row + 1) * n])
            let alone = try client.request(
                "POST", "/topk?\(query)", headers: [octets], body: Wire.bytes(one, .float64))
            #expect(try #require(Wire.dense(alone, rowLength: n))[0] == dense[row])
            for g in 0..<2 {
                let start = (g * rows + row) * n
                let gradient = try client.request(
                    "POST", "/topk/vjp?\(query)", headers: [octets],
                    body: Wire.bytes(one + c[start..<start + n], .float64))
                #expect(
                    try #require(Wire.dense(gradient, rowLength: n))[0] == gradients[g * rows + row]
                )
            }
        }
    }

    @Test("the lowest bad row is reported, however the batch was split")
    func lowestBadRow() throws {
        let service = try LiveService { $0.limits.workers = 4 }
        defer { service.stop() }
        var x = [Double](repeating: 1, count: 400 * 1000)
        x[399 * 1000] = .nan
        x[203 * 1000 + 7] = .nan
        let response = try service.client().request(
            "POST", "/topk?n=1000&k=3", headers: [octets], body: Wire.bytes(x, .float32))
        try BadInputTests.check(response, 422, "not_finite", "x", 203, 7)
    }

    @Test("every answer carries an id and its stages; a client's own id is kept")
    func identity() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let own = try client.post(
            "/topk", json: #"{"x": [1], "k": 1}"#, headers: [("X-Request-Id", "step-7.a")])
        #expect(own.header("X-Request-Id") == "step-7.a")
        let timing = try #require(own.header("Server-Timing"))
        for stage in Stage.allCases { #expect(timing.contains("\(stage.rawValue);dur=")) }
        let hostile = try client.post(
            "/topk", json: #"{"x": [1], "k": 1}"#, headers: [("X-Request-Id", "a b<script>")])
        #expect(hostile.header("X-Request-Id")?.count == 15)
    }

    @Test(
        "JSON numbers survive the way there and back, in every type",
        arguments: DType.allCases)
    func roundTrip(_ dtype: DType) throws {
        let service = try LiveService()
        defer { service.stop() }
        var random = SplitMix64(seed: 3)
        let x = (0..<2000).map { _ -> Double in
            let reach: Double = dtype == .float16 ? 8 : 80
            let value = random.normal() * exp(Double.random(in: -reach...reach, using: &random))
            return Wire.numbers(Wire.bytes([value], dtype), dtype)[0]
        }
        let response = try service.client().post(
            "/topk",
            json: """
                {"x": \(x), "k": \(x.count), "operator": "values", "lambda": 0, "format": "dense", \
                "dtype": "\(dtype.rawValue)"}
                """)
        struct Dense: Decodable { let data: [Double] }
        let data = try JSONDecoder().decode(Dense.self, from: Data(response.body)).data
        #expect(data.map { dtype == .float64 ? $0 : Double(Float($0)) } == x)
    }
}
