import Fixtures
import Foundation
import Testing

/// Raw bodies with further inputs. Catches sizes and offsets that lie, and sections that cannot go
/// back as they came.
@Suite struct FurtherRawTests {
    struct RawCase: CustomStringConvertible, Sendable {
        let query: String
        let body: [UInt8]
        let code: String
        let field: String
        var target = "/topk"
        var description: String { query }
    }

    private static func int32(_ values: [Int]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: Int32(value)) { Array($0) } }
    }

    /// Two rows of two, and sets behind them.
    private static func sets(_ forward: [Int], _ indices: [Int]) -> [UInt8] {
        Wire.bytes([3, 1, 2, 5], .float32) + int32(forward + [0]) + int32(indices)
    }

    private static let kastQuery = "operator=top_kast&explore=false&shape=2,2&inputs=forward_mask"

    static let rawCases: [RawCase] = [
        RawCase(
            query: "operator=gaussian_k&density=0.5&n=2&inputs=residual",
            body: Wire.bytes([1, 2, 3, 4], .float32), code: "missing_parameter", field: "shape"),
        RawCase(
            query: "operator=gaussian_k&density=0.5&shape=2&inputs=rest",
            body: Wire.bytes([1, 2, 3, 4], .float32), code: "out_of_range", field: "inputs"),
        RawCase(
            query: "operator=gaussian_k&density=0.5&shape=2&inputs=residual,residual",
            body: Wire.bytes([1, 2, 3, 4], .float32), code: "out_of_range", field: "inputs"),
        RawCase(
            query: "operator=gaussian_k&density=0.5&shape=2&residual=1",
            body: Wire.bytes([1, 2], .float32), code: "misplaced_parameter", field: "residual"),
        RawCase(
            query: "operator=gaussian_k&density=0.5&shape=2&inputs=residual",
            body: Wire.bytes([1, 2, 3], .float32), code: "wrong_body_length", field: "body"),
        RawCase(
            query: "operator=gaussian_k&density=0.5&shape=2&inputs=residual",
            body: Wire.bytes([1, 2, 3, 4, 5], .float32), code: "wrong_body_length", field: "body"),
        RawCase(
            query: "operator=gaussian_k&density=0.5&shape=4611686018427387904,2&inputs=residual",
            body: Wire.bytes([1, 2], .float32), code: "out_of_range", field: "shape"),
        RawCase(
            query: "k=1&shape=2&inputs=w", body: Wire.bytes([1, 2], .float32),
            code: "unknown_parameter", field: "inputs"),
        RawCase(
            query: kastQuery, body: sets([0, 1, 1], []), code: "wrong_body_length", field: "body"),
        RawCase(
            query: kastQuery, body: sets([1, 1, 2], [0, 1]), code: "out_of_range",
            field: "forward_mask.indptr"),
        RawCase(
            query: kastQuery, body: sets([0, 2, 1], [0, 1]), code: "out_of_range",
            field: "forward_mask.indptr"),
        RawCase(
            query: kastQuery, body: sets([0, 3, 3], [0, 1, 1, 0]), code: "out_of_range",
            field: "forward_mask.indptr"),
        RawCase(
            query: kastQuery, body: sets([0, 1, 2], [0, 2]), code: "out_of_range",
            field: "forward_mask"),
        RawCase(
            query: kastQuery, body: sets([0, 1, 2], [0, -1]), code: "out_of_range",
            field: "forward_mask"),
        RawCase(
            query: kastQuery, body: sets([0, 2, 2], [1, 1]), code: "out_of_range",
            field: "forward_mask"),
        RawCase(
            query: "operator=soft_topk_sorted&k=1&n=2", body: Wire.bytes([1, 2, 3, 4], .float32),
            code: "missing_parameter", field: "shape", target: "/topk/vjp"),
        RawCase(
            query: "operator=soft_topk_sorted&k=2&shape=2",
            body: Wire.bytes([1, 2, 3, 4], .float32), code: "wrong_body_length", field: "body",
            target: "/topk/vjp"),
    ]

    @Test("raw bodies that are not what their query says", arguments: rawCases)
    func raw(_ bad: RawCase) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let octets = [("Content-Type", "application/octet-stream")]
        let answer = try client.request(
            "POST", "\(bad.target)?\(bad.query)", headers: octets, body: bad.body)
        try answer.expectProblem(bad.code, bad.field)
        #expect(try client.post("/topk", json: #"{"x": [1, 2], "k": 1}"#).status == 200)
    }

    // Catches: sections that cannot be sent back as they came, types that are read otherwise than
    // they are written.
    @Test("a raw answer's sets and residual go back as they are", arguments: ["int32", "int64"])
    func roundTrip(_ indexType: String) throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let octets = [("Content-Type", "application/octet-stream")]
        let x = Wire.bytes([3, 1, 2, 5, -4, 0], .float32)
        let query = "shape=2,3&operator=top_kast&format=dense&index_dtype=\(indexType)"
        let first = try client.request(
            "POST", "/topk?\(query)&k_forward=2&k_backward=3&scope=global", headers: octets, body: x
        )
        let listed = first.header("Topk-Sections") ?? ""
        #expect(listed.hasPrefix("data:float32:6,forward_mask.indptr:\(indexType):3,"), "\(listed)")
        // data is 6 floats; then four sections of three, two, three and three indices.
        let size = indexType == "int64" ? 8 : 4
        let lengths = [3, 2, 3, 3].map { ($0 * size + 7) / 8 * 8 }
        let masks = Array(first.body[24..<24 + lengths.reduce(0, +)])
        let second = try client.request(
            "POST", "/topk?\(query)&scope=global&inputs=forward_mask,backward_mask",
            headers: octets, body: x + masks)
        #expect(second.body == first.body, "\(second.text)")
        // Behind them, a cotangent.
        let vjp = try client.request(
            "POST", "/topk/vjp?\(query)&scope=global&inputs=forward_mask,backward_mask",
            headers: octets, body: x + masks + Wire.bytes([1, 2, 3, 4, 5, 6], .float32))
        #expect(Wire.numbers(vjp.body, .float32) == [1, 0, 0, 4, 5, 0], "\(vjp.text)")

        let sent = try client.request(
            "POST", "/topk?shape=2,3&operator=gaussian_k&density=0.4&format=dense", headers: octets,
            body: x)
        let sections = try #require(Wire.sections(sent))
        let left = try #require(sections["residual"])
        let next = try client.request(
            "POST",
            "/topk?shape=2,3&operator=gaussian_k&density=0.4&format=dense&inputs=residual",
            headers: octets, body: [UInt8](repeating: 0, count: 24) + Wire.bytes(left, .float32))
        #expect(next.status == 200, "\(next.text)")
        let again = try #require(Wire.sections(next))
        let sum = zip(again["data"] ?? [], again["residual"] ?? []).map { $0 + $1 }
        #expect(sum == left)
    }
}
