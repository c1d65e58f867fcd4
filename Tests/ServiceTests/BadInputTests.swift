import Fixtures
import Foundation
import Testing

/// Catches bad input that is accepted, answered with a vague error, or takes more with it than
/// itself.
@Suite struct BadInputTests {
    struct Case: CustomStringConvertible, Sendable {
        let name: String
        let body: String
        let status: Int
        let code: String
        var field: String?
        var row: Int?
        var column: Int?
        var target = "/topk"
        var description: String { name }
    }

    private static let deep = String(repeating: "[", count: 100_000)

    static let json: [Case] = [
        Case(name: "not JSON", body: "hello", status: 400, code: "invalid_json"),
        Case(name: "empty body", body: "", status: 400, code: "invalid_json"),
        Case(name: "not an object", body: "[1, 2]", status: 400, code: "invalid_json"),
        Case(name: "truncated", body: #"{"x": [[1, 2"#, status: 400, code: "invalid_json"),
        Case(
            name: "truncated object", body: #"{"x": [1], "k": 1"#, status: 400, code: "invalid_json"
        ),
        Case(
            name: "trailing bytes", body: #"{"x": [1], "k": 1} 2"#, status: 400,
            code: "invalid_json"),
        Case(
            name: "NaN as a word", body: #"{"x": [1, NaN], "k": 1}"#, status: 400,
            code: "invalid_json"),
        Case(
            name: "leading zero", body: #"{"x": [01], "k": 1}"#, status: 400, code: "invalid_json"),
        Case(
            name: "lone comma", body: #"{"x": [1,,2], "k": 1}"#, status: 400, code: "invalid_json"),
        Case(
            name: "deep nesting, unclosed", body: #"{"x": "# + deep, status: 400,
            code: "invalid_json"),
        Case(
            name: "deep nesting, closed",
            body: #"{"x": "# + deep + deep.replacingOccurrences(of: "[", with: "]")
                + ", \"k\": 1}", status: 400, code: "too_deep", field: "x"),
        Case(
            name: "duplicate key", body: #"{"x": [1], "k": 1, "k": 1}"#, status: 400,
            code: "duplicate_key", field: "k"),
        Case(
            name: "1e999 in x", body: #"{"x": [[1, 2], [1, 1e999]], "k": 1}"#, status: 400,
            code: "number_too_large", field: "x", row: 1, column: 1),
        Case(
            name: "1e999 as lambda", body: #"{"x": [1], "k": 1, "lambda": 1e999}"#, status: 400,
            code: "number_too_large", field: "lambda"),
        Case(
            name: "beyond float32", body: #"{"x": [1, 1e39], "k": 1}"#, status: 422,
            code: "out_of_range", field: "x", column: 1),
        Case(
            name: "beyond float32, negative", body: #"{"x": [[1, -1e39]], "k": 1}"#, status: 422,
            code: "out_of_range", field: "x", row: 0, column: 1),
        Case(
            name: "NaN as a string", body: #"{"x": [[1, 2], ["NaN", 2]], "k": 1}"#, status: 422,
            code: "not_finite", field: "x", row: 1, column: 0),
        Case(
            name: "+inf", body: #"{"x": [1, "Infinity"], "k": 1}"#, status: 422,
            code: "not_finite", field: "x", column: 1),
        Case(
            name: "beyond float16", body: #"{"x": [[1], [65520]], "k": 1, "dtype": "float16"}"#,
            status: 422, code: "out_of_range", field: "x", row: 1, column: 0),
        Case(
            name: "beyond bfloat16", body: #"{"x": [3.4e38], "k": 1, "dtype": "bfloat16"}"#,
            status: 422, code: "out_of_range", field: "x", column: 0),
        Case(
            name: "NaN in a tangent",
            body: #"{"x": [[1, 2]], "k": 1, "tangent": [[[1, 2]], [["NaN", 2]]]}"#, status: 422,
            code: "not_finite", field: "tangent", row: 0, column: 0, target: "/topk/jvp"),
        Case(
            name: "no tangent", body: #"{"x": [1], "k": 1}"#, status: 422,
            code: "missing_parameter", field: "tangent", target: "/topk/jvp"),
        Case(
            name: "cotangent for jvp", body: #"{"x": [1], "k": 1, "cotangent": [1]}"#, status: 400,
            code: "misplaced_parameter", field: "cotangent", target: "/topk/jvp"),
        Case(
            name: "tangent of another shape", body: #"{"x": [1, 2], "k": 1, "tangent": [1]}"#,
            status: 422, code: "wrong_shape", field: "tangent", target: "/topk/jvp"),
        Case(
            name: "w grows", body: #"{"x": [[1, 2], [3, 4]], "w": [[1, 0], [0, 1]]}"#, status: 422,
            code: "out_of_range", field: "w", row: 1, column: 1),
        Case(
            name: "w is negative", body: #"{"x": [1, 2], "w": [1, -1]}"#, status: 422,
            code: "out_of_range", field: "w", column: 1),
        Case(
            name: "w of another length", body: #"{"x": [1, 2], "w": [1]}"#, status: 422,
            code: "wrong_shape", field: "w"),
        Case(
            name: "NaN in w", body: #"{"x": [1, 2], "w": [1, "NaN"]}"#, status: 422,
            code: "not_finite", field: "w", column: 1),
        Case(
            name: "w and k", body: #"{"x": [1, 2], "w": [1, 0], "k": 1}"#, status: 422,
            code: "incompatible_parameters", field: "k"),
        Case(
            name: "neither k nor w", body: #"{"x": [1, 2]}"#, status: 422,
            code: "missing_parameter", field: "k"),
        Case(
            name: "magnitude has no smallest",
            body: #"{"operator": "magnitude", "x": [1, 2], "k": 1, "largest": false}"#,
            status: 422, code: "unknown_parameter", field: "largest"),
        Case(
            name: "a boolean in words", body: #"{"x": [1, 2], "k": 1, "largest": "false"}"#,
            status: 422, code: "wrong_type", field: "largest"),
        Case(
            name: "wrt with a number",
            body: #"{"x": [1], "k": 1, "cotangent": [1], "wrt": ["x", 1]}"#, status: 422,
            code: "wrong_type", field: "wrt", target: "/topk/vjp"),
        Case(
            name: "dykstra with p = 3",
            body: #"{"x": [1, 2], "k": 1, "p": 3, "solver": "dykstra"}"#, status: 422,
            code: "incompatible_parameters", field: "solver"),
        Case(
            name: "width of csr", body: #"{"x": [1, 2], "k": 1, "width": 1}"#, status: 422,
            code: "incompatible_parameters", field: "width"),
        Case(
            name: "width beyond n",
            body: #"{"x": [1, 2], "k": 1, "format": "padded", "width": 3}"#, status: 422,
            code: "out_of_range", field: "width"),
        Case(
            name: "width below a row",
            body: #"{"x": [1, 2], "k": 2, "format": "padded", "width": 1}"#, status: 422,
            code: "width_too_small", field: "width"),
        Case(
            name: "ragged rows", body: #"{"x": [[1, 2], [3, 4], [5]], "k": 1}"#, status: 422,
            code: "ragged_rows", field: "x", row: 2),
        Case(
            name: "empty row", body: #"{"x": [], "k": 1}"#, status: 422, code: "empty_rows",
            field: "x"),
        Case(
            name: "empty rows", body: #"{"x": [[], []], "k": 1}"#, status: 422, code: "empty_rows",
            field: "x"),
        Case(
            name: "x a number", body: #"{"x": 3, "k": 1}"#, status: 422, code: "wrong_type",
            field: "x"),
        Case(
            name: "null in x", body: #"{"x": [[1, 2], [1, null]], "k": 1}"#, status: 422,
            code: "wrong_type", field: "x", row: 1, column: 1),
        Case(
            name: "row beside number", body: #"{"x": [[1], 2], "k": 1}"#, status: 422,
            code: "wrong_type", field: "x", row: 1),
        Case(
            name: "empty arrays among numbers", body: #"{"x": [[], [], 1, 2], "k": 4}"#,
            status: 422,
            code: "wrong_type", field: "x", column: 2),
        Case(
            name: "empty arrays inside rows", body: #"{"x": [[[], 2], [3, 4]], "k": 1}"#,
            status: 422, code: "wrong_type", field: "x", row: 0, column: 1),
        Case(
            name: "empty arrays in k", body: #"{"x": [[1], [2]], "k": [[], 1]}"#, status: 422,
            code: "wrong_type", field: "k", row: 1),
        Case(
            name: "three axes", body: #"{"x": [[[1]]], "k": 1}"#, status: 422, code: "wrong_shape",
            field: "x"),
        Case(
            name: "no x", body: #"{"k": 1}"#, status: 422, code: "missing_parameter", field: "x"),
        Case(
            name: "no k", body: #"{"x": [1]}"#, status: 422, code: "missing_parameter", field: "k"),
        Case(
            name: "k = 0", body: #"{"x": [1], "k": 0}"#, status: 422, code: "out_of_range",
            field: "k"),
        Case(
            name: "k negative", body: #"{"x": [1], "k": -1}"#, status: 422, code: "out_of_range",
            field: "k"),
        Case(
            name: "k fractional", body: #"{"x": [1, 2], "k": 1.5}"#, status: 422,
            code: "wrong_type",
            field: "k"),
        Case(
            name: "k above n", body: #"{"x": [1, 2], "k": 3}"#, status: 422, code: "out_of_range",
            field: "k"),
        Case(
            name: "k of one row above n", body: #"{"x": [[1, 2], [3, 4]], "k": [1, 3]}"#,
            status: 422,
            code: "out_of_range", field: "k", row: 1),
        Case(
            name: "k above the finite entries", body: #"{"x": [[1, 2], [3, "-Infinity"]], "k": 2}"#,
            status: 422, code: "too_few_finite_entries", field: "x", row: 1),
        Case(
            name: "k a string", body: #"{"x": [1], "k": "1"}"#, status: 422, code: "wrong_type",
            field: "k"),
        Case(
            name: "too few k", body: #"{"x": [[1], [2], [3]], "k": [1, 1]}"#, status: 422,
            code: "wrong_shape", field: "k"),
        Case(
            name: "too many k", body: #"{"x": [[1], [2]], "k": [1, 1, 1]}"#, status: 422,
            code: "wrong_shape", field: "k"),
        Case(
            name: "lambda < 0", body: #"{"x": [1], "k": 1, "lambda": -0.1}"#, status: 422,
            code: "out_of_range", field: "lambda"),
        Case(
            name: "p = 1", body: #"{"x": [1], "k": 1, "p": 1}"#, status: 422, code: "out_of_range",
            field: "p"),
        Case(
            name: "p = 17", body: #"{"x": [1], "k": 1, "p": 17}"#, status: 422,
            code: "out_of_range",
            field: "p"),
        Case(
            name: "p a word", body: #"{"x": [1], "k": 1, "p": "5/3"}"#, status: 422,
            code: "wrong_type", field: "p"),
        Case(
            name: "p for each row", body: #"{"x": [[1], [1]], "k": 1, "p": [2, 3]}"#, status: 422,
            code: "wrong_type", field: "p"),
        Case(
            name: "unknown parameter", body: #"{"x": [1], "k": 1, "lamda": 2}"#, status: 422,
            code: "unknown_parameter", field: "lamda"),
        Case(
            name: "unknown operator", body: #"{"x": [1], "k": 1, "operator": "max"}"#, status: 422,
            code: "unknown_operator", field: "operator"),
        Case(
            name: "unknown dtype", body: #"{"x": [1], "k": 1, "dtype": "int8"}"#, status: 422,
            code: "out_of_range", field: "dtype"),
        Case(
            name: "format a number", body: #"{"x": [1], "k": 1, "format": 1}"#, status: 422,
            code: "wrong_type", field: "format"),
        Case(
            name: "octet-stream's n in JSON", body: #"{"x": [1], "k": 1, "n": 1}"#, status: 400,
            code: "misplaced_parameter", field: "n"),
        Case(
            name: "cotangent on forward", body: #"{"x": [1], "k": 1, "cotangent": [1]}"#,
            status: 400,
            code: "misplaced_parameter", field: "cotangent"),
        Case(
            name: "query on JSON", body: #"{"x": [1], "k": 1}"#, status: 400,
            code: "misplaced_parameter", field: "k", target: "/topk?k=1"),
        Case(
            name: "no cotangent", body: #"{"x": [1], "k": 1}"#, status: 422,
            code: "missing_parameter", field: "cotangent", target: "/topk/vjp"),
        Case(
            name: "cotangent of another shape", body: #"{"x": [1, 2], "k": 1, "cotangent": [1]}"#,
            status: 422, code: "wrong_shape", field: "cotangent", target: "/topk/vjp"),
        Case(
            name: "cotangent NaN", body: #"{"x": [[1, 2]], "k": 1, "cotangent": [[1, "NaN"]]}"#,
            status: 422, code: "not_finite", field: "cotangent", row: 0, column: 1,
            target: "/topk/vjp"),
        Case(
            name: "cotangent -inf", body: #"{"x": [1, 2], "k": 1, "cotangent": [1, "-Infinity"]}"#,
            status: 422, code: "not_finite", field: "cotangent", column: 1, target: "/topk/vjp"),
        Case(
            name: "too many members",
            body: "{" + (0..<70).map { "\"a\($0)\": 1" }.joined(separator: ",") + "}", status: 400,
            code: "invalid_json"),
    ]

    @Test("bad JSON is refused by name and place, and the connection lives on", arguments: json)
    func refusesJSON(_ bad: Case) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let response = try client.post(bad.target, json: bad.body)
        try Self.check(response, bad.status, bad.code, bad.field, bad.row, bad.column)
        let good = try client.post("/topk", json: #"{"x": [3, 1, 2], "k": 1}"#)
        #expect(good.status == 200, "the same connection answers afterwards")
    }

    /// The problem's members, and that its detail says something.
    static func check(
        _ response: HTTPClient.Response, _ status: Int, _ code: String, _ field: String?,
        _ row: Int? = nil, _ column: Int? = nil
    ) throws {
        #expect(response.status == status, "\(response.text)")
        #expect(response.header("Content-Type") == "application/problem+json")
        let problem = try #require(
            JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
        #expect(problem["code"] as? String == code, "\(response.text)")
        #expect(problem["status"] as? Int == status)
        #expect(problem["field"] as? String == field, "\(response.text)")
        #expect(problem["row"] as? Int == row, "\(response.text)")
        #expect(problem["column"] as? Int == column, "\(response.text)")
        #expect((problem["detail"] as? String ?? "").count > 10)
        #expect(problem["request_id"] as? String == response.header("X-Request-Id"))
    }
}
