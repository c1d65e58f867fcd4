import Fixtures
import Foundation
import Testing

/// What operators beyond the paper's bring to requests: sets, residuals, parameters that exclude
/// each other. Catches bad ones that are accepted, or refused without saying what to change.
@Suite struct FurtherInputTests {
    struct Case: CustomStringConvertible, Sendable {
        let name: String
        let body: String
        let code: String
        let field: String
        var row: Int?
        var column: Int?
        var target = "/topk"
        var description: String { name }
    }

    private static func kast(
        _ name: String, _ rest: String, _ code: String, _ field: String, row: Int? = nil,
        column: Int? = nil
    ) -> Case {
        let x = #""operator": "top_kast", "x": [[3, 1, 2], [1, 2, 3]]"#
        return Case(
            name: name, body: "{\(x), \(rest)}", code: code, field: field, row: row, column: column)
    }

    private static func soft(_ rest: String, _ code: String, _ field: String) -> Case {
        let x = #""operator": "soft_topk", "x": [3, 1, 2]"#
        return Case(name: "soft_topk \(rest)", body: "{\(x), \(rest)}", code: code, field: field)
    }

    private static func gaussian(_ rest: String, _ code: String, _ field: String) -> Case {
        let x = #""operator": "gaussian_k", "x": [[3, 1], [2, 5]]"#
        return Case(name: "gaussian_k \(rest)", body: "{\(x), \(rest)}", code: code, field: field)
    }

    static let cases: [Case] = [
        kast("no size", #""scope": "layer""#, "missing_parameter", "k_forward"),
        kast("A above n", #""k_forward": 4"#, "incompatible_parameters", "k_forward"),
        kast(
            "B below A", #""k_forward": 2, "k_backward": 1"#, "incompatible_parameters",
            "k_backward"),
        kast(
            "B alone", #""k_backward": 1, "density_forward": 0.5"#, "incompatible_parameters",
            "k_backward"),
        kast(
            "shares above 1", #""density_forward": 0.7, "density_extra": 0.4"#,
            "incompatible_parameters", "density_extra"),
        kast("no share", #""density_forward": 0"#, "out_of_range", "density_forward"),
        kast(
            "A not in B", #""forward_mask": [[0], [1]], "backward_mask": [[0], [0, 2]]"#,
            "out_of_range", "forward_mask", row: 1, column: 0),
        kast(
            "twice", #""forward_mask": [[0], [1]], "backward_mask": [[0], [1, 2, 1]]"#,
            "out_of_range", "backward_mask", row: 1, column: 2),
        kast(
            "beyond n", #""forward_mask": [[0], [3]], "backward_mask": [[0], [3]]"#,
            "out_of_range", "forward_mask", row: 1, column: 0),
        kast(
            "below 0", #""forward_mask": [[-1], [1]], "backward_mask": [[0], [1]]"#,
            "out_of_range", "forward_mask", row: 0, column: 0),
        kast(
            "half a column", #""forward_mask": [[0.5], [1]], "backward_mask": [[0], [1]]"#,
            "wrong_type", "forward_mask", row: 0, column: 0),
        kast(
            "a word", #""forward_mask": [["a"], [1]], "backward_mask": [[0], [1]]"#, "wrong_type",
            "forward_mask", row: 0, column: 0),
        kast(
            "too few lists", #""forward_mask": [[0]], "backward_mask": [[0], [1]]"#, "wrong_shape",
            "forward_mask"),
        kast(
            "too many lists", #""forward_mask": [[0], [0], [0]], "backward_mask": [[0], [1]]"#,
            "wrong_shape", "forward_mask"),
        kast(
            "one list for two rows", #""forward_mask": [0, 1], "backward_mask": [[0], [1]]"#,
            "wrong_shape", "forward_mask"),
        kast(
            "lists and numbers", #""forward_mask": [[0], 1], "backward_mask": [[0], [1]]"#,
            "wrong_type", "forward_mask"),
        kast(
            "lists of lists", #""forward_mask": [[[0]], [1]], "backward_mask": [[0], [1]]"#,
            "wrong_type", "forward_mask"),
        kast(
            "not a list", #""forward_mask": 3, "backward_mask": [[0], [1]]"#, "wrong_type",
            "forward_mask"),
        kast("A alone", #""forward_mask": [[0], [1]]"#, "incompatible_parameters", "forward_mask"),
        kast(
            "B without A", #""k_forward": 1, "backward_mask": [[0], [1]]"#,
            "incompatible_parameters", "backward_mask"),
        kast(
            "sets and sizes",
            #""k_forward": 1, "forward_mask": [[0], [1]], "backward_mask": [[0], [1]]"#,
            "incompatible_parameters", "k_forward"),
        kast(
            "an empty set has no share", #""forward_mask": [[], [1]], "backward_mask": [[0], [1]]"#,
            "incompatible_parameters", "forward_mask"),
        kast(
            "twice, not in order",
            #""forward_mask": [[0], [2]], "backward_mask": [[2, 2, 0], [2]]"#,
            "out_of_range", "backward_mask", row: 0, column: 1),
        kast(
            "not in B, not in order",
            #""forward_mask": [[1, 0], [2]], "backward_mask": [[1, 2], [2]]"#,
            "out_of_range", "forward_mask", row: 0, column: 1),
        Case(
            name: "one row of a batch has a row",
            body:
                #"{"operator": "top_kast", "x": [[1, 2]], "forward_mask": [[1]], "#
                + #""backward_mask": [[0]]}"#,
            code: "out_of_range", field: "forward_mask", row: 0, column: 0),
        Case(
            name: "a cotangent of a matrix",
            body:
                #"{"operator": "soft_topk_sorted", "x": [[1, 2], [3, 4]], "k": 2, "#
                + #""cotangent": [[[1, 1], [1, 1]], [[1, "NaN"], [1, 1]]]}"#,
            code: "not_finite", field: "cotangent", row: 1, column: 0, target: "/topk/vjp"),
        Case(
            name: "the second cotangent of one row",
            body: #"{"x": [1, 2], "k": 1, "cotangent": [[1, 1], [1, "NaN"]]}"#,
            code: "not_finite", field: "cotangent", column: 1, target: "/topk/vjp"),
        Case(
            name: "-inf is for soft_topk",
            body: #"{"operator": "top_kast", "x": ["-Infinity", 1], "k_forward": 1}"#,
            code: "not_finite", field: "x", column: 0),
        Case(
            name: "no jvp",
            body: #"{"operator": "top_kast", "x": [1, 2], "k_forward": 1, "tangent": [1, 1]}"#,
            code: "no_such_direction", field: "operator", target: "/topk/jvp"),
        soft(#""k": 3.5"#, "out_of_range", "k"),
        soft(#""k": -0.1"#, "out_of_range", "k"),
        soft(#""k": 1, "tau": 0"#, "out_of_range", "tau"),
        soft(#""k": 1, "tau": 1, "epsilon": 1"#, "incompatible_parameters", "epsilon"),
        soft(#""k": 1, "cost_scale": 1"#, "incompatible_parameters", "cost_scale"),
        soft(
            #""k": 1, "epsilon": 1, "cost_scale": 1, "legacy_batch_scale": true"#,
            "incompatible_parameters", "legacy_batch_scale"),
        soft(#""k": 1, "mode": "best""#, "out_of_range", "mode"),
        soft(#""k": [1, 2]"#, "wrong_shape", "k"),
        Case(
            name: "fewer finite than k",
            body: #"{"operator": "soft_topk", "x": ["-Infinity", 1], "k": 1.5}"#,
            code: "too_few_finite_entries", field: "x"),
        Case(
            name: "sorted: k above n",
            body: #"{"operator": "soft_topk_sorted", "x": [1, 2], "k": 3}"#,
            code: "out_of_range", field: "k"),
        Case(
            name: "sorted: a cotangent shaped like x",
            body: #"{"operator": "soft_topk_sorted", "x": [1, 2], "k": 1, "cotangent": [1, 2]}"#,
            code: "wrong_shape", field: "cotangent", target: "/topk/vjp"),
        gaussian(#""density": 0"#, "out_of_range", "density"),
        gaussian(#""density": 1.01"#, "out_of_range", "density"),
        gaussian(#""density": 0.5, "residual": [1, 2]"#, "wrong_shape", "residual"),
        gaussian(#""density": 0.5, "residual": [[1, 2], [3]]"#, "ragged_rows", "residual"),
        gaussian(#""density": 0.5, "residual": [[3e38, 1], [1, 1]], "x": 1"#, "duplicate_key", "x"),
        Case(
            name: "a sum beyond float32",
            body: #"{"operator": "gaussian_k", "x": [3e38], "residual": [3e38], "density": 1}"#,
            code: "out_of_range", field: "residual", column: 0),
    ]

    @Test("each is one clear error", arguments: cases)
    func json(_ bad: Case) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let answer = try client.post(bad.target, json: bad.body)
        try answer.expectProblem(bad.code, bad.field, bad.row, bad.column)
        // The connection is none the worse.
        #expect(try client.post("/topk", json: #"{"x": [1, 2], "k": 1}"#).status == 200)
    }

    // Catches: a width that is looked for anew for each row: 40 s for these.
    @Test("a padded answer of many rows is written row by row")
    func manyPaddedRows() throws {
        let service = try LiveService()
        defer { service.stop() }
        let answer = try service.client().request(
            "POST", "/topk?k=1&n=1&dtype=float16&format=padded",
            headers: [
                ("Content-Type", "application/octet-stream"), ("Accept", "application/json"),
            ],
            body: [UInt8](repeating: 0, count: 300_000))
        #expect(answer.status == 200)
        let timing = answer.header("Server-Timing") ?? ""
        let encode = timing.split(separator: ",").first { $0.contains("encode") } ?? ""
        let milliseconds = encode.split(separator: "=").last.flatMap { Double($0) } ?? .infinity
        #expect(milliseconds < 10_000, "\(timing)")
    }

    // Catches: a request that is told to come again, and never fits.
    @Test("a lone JSON request is never told that others are in the way")
    func aloneIsNotOverloaded() throws {
        let service = try LiveService {
            $0.limits.inflightBytesMax = 8 << 20
            $0.limits.bodyBytesMax = 700 << 10
        }
        defer { service.stop() }
        let client = try service.client()
        for rows in stride(from: 2000, through: 36000, by: 4000) {
            let row = "[1,2,3,4,5,6,7,8]"
            let x = "[" + Array(repeating: row, count: rows).joined(separator: ",") + "]"
            guard x.utf8.count < 600 << 10 else { continue }
            // The answer before is put away a moment after it has been read.
            for _ in 0..<200 {
                let metrics = try client.request("GET", "/metrics").text
                if metrics.contains("\ntopkd_inflight_bytes 0.0\n") { break }
                usleep(20_000)
            }
            let answer = try client.post("/topk", json: "{\"x\": \(x), \"k\": 4}")
            #expect(answer.status == 200 || answer.status == 422, "\(rows)")
        }
    }

    // Catches: an answer of n k numbers for n that takes the memory of the whole process.
    @Test("a sorted answer counts against the memory for requests")
    func sortedMemory() throws {
        let service = try LiveService {
            $0.limits.inflightBytesMax = 1 << 20
            $0.limits.bodyBytesMax = 1 << 17
        }
        defer { service.stop() }
        let octets = [("Content-Type", "application/octet-stream")]
        let x = Wire.bytes((0..<4096).map { Double($0) }, .float32)
        let answer = try service.client().request(
            "POST", "/topk?operator=soft_topk_sorted&n=4096&k=40", headers: octets, body: x)
        try answer.expectProblem("answer_too_large", nil)
        let small = try service.client().request(
            "POST", "/topk?operator=soft_topk_sorted&n=4096&k=2", headers: octets, body: x)
        #expect(small.status == 200, "\(small.text)")
        // A gradient takes what its row takes, not n for each of n.
        let vjp = try service.client().request(
            "POST", "/topk/vjp?operator=soft_topk_sorted&shape=4096&k=2", headers: octets,
            body: x + Wire.bytes([Double](repeating: 1, count: 8192), .float32))
        #expect(vjp.status == 200, "\(vjp.text)")
    }

    // Catches: a 4th axis that is read in the wrong order.
    @Test("two cotangents for sorted answers of two rows are those of each")
    func stackedSorted() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let x = "[[3, 1, 2], [0, 5, 1]]"
        let c =
            "[[[[1, 0], [0, 2], [3, 0]], [[0, 1], [1, 1], [2, 0]]], "
            + "[[[0, 0], [1, 0], [0, 1]], [[5, 0], [0, 0], [0, 1]]]]"
        let common = #""operator": "soft_topk_sorted", "k": 2, "eps": 1, "format": "dense""#
        let together = try JSONDecoder().decode(
            JSONTree.self,
            from: Data(
                client.post("/topk/vjp", json: "{\(common), \"x\": \(x), \"cotangent\": \(c)}").body
            ))
        #expect(together["shape"]?.numbers == [2, 2, 3])
        let alone = try JSONDecoder().decode(
            JSONTree.self,
            from: Data(
                client.post(
                    "/topk/vjp",
                    json: "{\(common), \"x\": [0, 5, 1], \"cotangent\": [[5, 0], [0, 0], [0, 1]]}"
                ).body))
        #expect(together["data"]?.elements.last?.elements.last == alone["data"])
    }
}

extension HTTPClient.Response {
    /// Whether it is a problem of this code, and of which field.
    func expectProblem(
        _ code: String, _ field: String?, _ row: Int? = nil, _ column: Int? = nil
    ) throws {
        let problem = try JSONDecoder().decode(JSONTree.self, from: Data(body))
        #expect(problem["code"] == .text(code), "\(text)")
        #expect(problem["field"] == field.map { .text($0) }, "\(text)")
        if let row { #expect(problem["row"]?.value == Double(row), "\(text)") }
        if let column { #expect(problem["column"]?.value == Double(column), "\(text)") }
        #expect(problem["detail"] != nil)
    }
}
