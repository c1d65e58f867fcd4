import Fixtures
import Foundation
import Operators
import Testing

/// Formats, types and outputs beside the answer, over the wire: JSON and raw numbers say the same.
@Suite struct FormatTests {
    private struct Padded: Decodable {
        let shape: [Int]
        let width: Int
        let indices: [[[Int]]]
        let data: [[[Double]]]
    }

    // Catches: pads in the wrong place, rows of a cotangent in another's, a width that is ignored.
    @Test("padded gradients of two cotangents, in JSON and raw")
    func paddedStack() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let json = try client.post(
            "/topk/vjp",
            json: """
                {"x": [[3, 1, 2, 0], [5, 1, 1, 0]], "k": 2, "lambda": 2, "p": 2, "width": 3, \
                "cotangent": [[[1, 2, 4, 8], [1, 2, 4, 8]], [[0, 0, 1, 0], [0, 1, 0, 0]]], \
                "format": "padded"}
                """)
        let answer = try JSONDecoder().decode(Padded.self, from: Data(json.body))
        #expect(answer.shape == [2, 2, 4] && answer.width == 3)
        // Rows: tau = (1 + 2 - 2) / 2 shares 1 and 2; the tie of 1 and 1 (and 0, out of reach).
        #expect(
            answer.indices == [[[1, 2, 4], [1, 2, 4]], [[1, 2, 4], [1, 2, 4]]], "\(json.text)")
        #expect(answer.data[0] == [[-0.5, 0.5, 0], [-0.5, 0.5, 0]], "\(json.text)")
        #expect(answer.data[1] == [[-0.25, 0.25, 0], [0.25, -0.25, 0]], "\(json.text)")

        let numbers: [Double] =
            [3, 1, 2, 0, 5, 1, 1, 0] + [1, 2, 4, 8, 1, 2, 4, 8] + [0, 0, 1, 0, 0, 1, 0, 0]
        let raw = try client.request(
            "POST",
            "/topk/vjp?shape=2,4&k=2&lambda=2&p=2&cotangents=2&format=padded&width=3"
                + "&index_dtype=int64&dtype=bfloat16",
            headers: [("Content-Type", "application/octet-stream")],
            body: Wire.bytes(numbers, .bfloat16))
        #expect(raw.header("Topk-Width") == "3" && raw.header("Topk-Shape") == "2,2,4")
        #expect(raw.header("Topk-Sections") == nil)
        let sections = try #require(Wire.sections(raw), "\(raw.text)")
        #expect(
            sections["indices"] == answer.indices.flatMap { $0.flatMap { $0.map { Double($0) } } })
        #expect(sections["data"] == answer.data.flatMap { $0.flatMap { $0 } })
    }

    // Catches: sections that overlap or are not aligned, and outputs of one number a row that are
    // not in the order of the rows when a batch is computed in blocks.
    @Test(
        "outputs beside the answer of a batch of many blocks",
        arguments: ["csr", "dense", "padded"])
    func manyBlocks(_ format: String) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        var random = SplitMix64(seed: 51)
        let (rows, n) = (300, 700)
        let x = (0..<rows).map { _ in random.normals(n) }
        let query =
            "/topk?n=\(n)&k=7&lambda=0.5&p=2&dtype=float64&solver=dykstra&linearization=true"
        let reply = try client.request(
            "POST", query + "&format=\(format)",
            headers: [("Content-Type", "application/octet-stream")],
            body: Wire.bytes(x.flatMap { $0 }, .float64))
        let sections = try #require(Wire.sections(reply), "\(reply.status)")
        let op = try #require(Registry.find("mask"))
        let parameters = Compute.parameters(
            op, k: [7], lambda: [0.5], p: 2,
            ["solver": .word("dykstra"), "linearization": .boolean(true)])
        let expected = try Compute.run(op, .forward, x, parameters)
        #expect(sections["iterations"] == Compute.numbers(expected, "iterations"))
        #expect(sections["residual"] == Compute.numbers(expected, "residual"))
        #expect(sections["converged"] == Compute.numbers(expected, "converged"))
        let d = Compute.dense(expected["d"]!, keepsZeros: true)
        switch format {
        case "dense":
            #expect(sections["linearization.d"] == d.flatMap { $0 })
        case "padded":
            let width = reply.header("Topk-Width").flatMap { Int($0) } ?? 0
            let indices = try #require(sections["linearization.indices"])
            let values = try #require(sections["linearization.d"])
            for row in 0..<rows {
                var dense = [Double](repeating: 0, count: n + 1)
                for i in row * width..<(row + 1) * width { dense[Int(indices[i])] = values[i] }
                #expect(Array(dense.dropLast()) == d[row])
            }
        default:
            #expect(sections["linearization.d"]?.reduce(0, +) == d.joined().reduce(0, +))
            #expect(sections["linearization.indptr"]?.count == rows + 1)
        }
    }

    // Catches: rows that did not converge and are not counted.
    @Test("rows of dykstra that did not converge move the metric")
    func nonconverged() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let answer = try client.post(
            "/topk",
            json: """
                {"x": [[1, 1, 1, 1, 1, 1], [6, 5, 4, 3, 2, 1]], "k": 3, "lambda": 0.5, "p": 2, \
                "solver": "dykstra", "max_iterations": 2, "tolerance": 0}
                """)
        #expect(answer.text.contains(#""converged":[false,true]"#), "\(answer.text)")
        #expect(answer.text.contains(#""iterations":[2,1]"#), "\(answer.text)")
        // A gradient of an answer that is not there yet says so, too, for each cotangent.
        let gradient = try client.post(
            "/topk/vjp",
            json: """
                {"x": [1, 1, 1, 1, 1, 1], "k": 3, "lambda": 0.5, "p": 2, "solver": "dykstra", \
                "max_iterations": 2, "cotangent": [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]}
                """)
        #expect(gradient.text.contains(#""converged":[false,false]"#), "\(gradient.text)")
        let page = try client.request("GET", "/metrics").text
        #expect(page.contains("topkd_nonconverged_rows_total 2\n"))
    }

    @Test("one row has numbers where many have lists")
    func singleRow() throws {
        let service = try LiveService()
        defer { service.stop() }
        let answer = try service.client().post(
            "/topk/vjp",
            json: """
                {"x": [3, 1, 2, 0], "k": 2, "lambda": 2, "p": 2, "cotangent": [1, 2, 4, 8], \
                "wrt": ["lambda"]}
                """)
        #expect(answer.text.contains(#""indptr":[0,0],"indices":[],"data":[]"#), "\(answer.text)")
        #expect(answer.text.contains(#""lambda_gradient":-0.25"#), "\(answer.text)")
    }
}
