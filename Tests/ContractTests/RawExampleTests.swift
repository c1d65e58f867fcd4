import Fixtures
import Operators
import Service
import Testing

/// The examples once more, as raw numbers: what openapi.yaml says of octet-stream in words.
struct RawExampleTests {
    // Catches: query parameters, headers or a layout of raw bodies other than openapi.yaml says.
    @Test("as octet-stream, each example has the same answer", arguments: ["/topk", "/topk/vjp"])
    func examplesAgree(path: String) throws {
        let tree = try ContractFile.tree()
        let operation = tree[["paths", path, "post"]] ?? .null
        let examples: Tree.Path = ["content", "application/json", "examples"]
        let service = try LiveService()
        defer { service.stop() }
        for (name, example) in operation[["requestBody"] + examples]?.members ?? [:] {
            let request = example["value"] ?? .null
            let documented = operation[["responses", "200"] + examples + [name, "value"]] ?? .null
            let answer = try service.client().request(
                "POST", path + "?" + Self.query(request),
                headers: [("Content-Type", "application/octet-stream")], body: Self.body(request))
            #expect(answer.status == 200, "\(name): \(answer.text)")
            guard answer.status == 200 else { continue }
            Self.expectRaw(answer, documented, name)
            ExampleTests.expectHeaders(
                answer, operation[["responses", "200"]], tree, "application/octet-stream", name)
            // The same by negotiation, from JSON to raw numbers.
            let negotiated = try service.client().post(
                path, json: request.json(), headers: [("Accept", "application/octet-stream")])
            #expect(negotiated.body == answer.body, "\(name) by Accept")
        }
    }

    // MARK: Requests

    /// Rows of the last axis, one after the other.
    private static func numbers(_ tree: Tree) -> [Double] {
        switch tree {
        case .number(let value): [value]
        case .string: [-.infinity]
        default: tree.elements.flatMap { numbers($0) }
        }
    }

    private static func shape(_ tree: Tree) -> [Int] {
        guard case .list(let elements) = tree else { return [] }
        return [elements.count] + shape(elements.first ?? .null)
    }

    private static func body(_ request: Tree) -> [UInt8] {
        let all = numbers(request["x"] ?? .null) + numbers(request["cotangent"] ?? [])
        return Wire.bytes(all, request["dtype"] == "float64" ? .float64 : .float32)
    }

    /// Everything beside x and cotangent; their shapes by name.
    private static func query(_ request: Tree) -> String {
        let x = shape(request["x"] ?? .null)
        let cotangent = shape(request["cotangent"] ?? .null)
        var items = ["shape=" + x.map { "\($0)" }.joined(separator: ",")]
        if cotangent.count > x.count { items.append("cotangents=\(cotangent[0])") }
        for (name, value) in request.members where name != "x" && name != "cotangent" {
            let values = value.elements.isEmpty ? [value] : value.elements
            let texts = values.map { $0.text ?? $0.json() }
            items.append("\(name)=" + texts.joined(separator: ","))
        }
        return items.sorted().joined(separator: "&")
    }

    // MARK: Answers

    private static func expectRaw(
        _ answer: HTTPClient.Response, _ documented: Tree, _ name: String
    ) {
        func documentedNumbers(_ field: String) -> [Double] { numbers(documented[field] ?? .null) }
        let dtype: DType = documented["dtype"] == "float64" ? .float64 : .float32
        let shape = documentedNumbers("shape").map { "\(Int($0))" }
        // A shortest decimal reads back as the number that was printed.
        let data = documentedNumbers("data").map { dtype == .float64 ? $0 : Double(Float($0)) }
        #expect(answer.header("Topk-Format") == documented["format"]?.text, "\(name)")
        #expect(answer.header("Topk-Dtype") == documented["dtype"]?.text, "\(name)")
        #expect(answer.header("Topk-Shape") == shape.joined(separator: ","), "\(name)")
        #expect(answer.header("Topk-Nnz") == "\(data.count { $0 != 0 })", "\(name)")
        if documented["format"] == "dense" {
            #expect(Wire.numbers(answer.body, dtype) == data, "\(name)")
            return
        }
        // No example asks for int64.
        #expect(answer.header("Topk-Index-Dtype") == "int32", "\(name)")
        let csr = Wire.csr(answer)
        #expect(csr?.indptr == documentedNumbers("indptr").map { Int($0) }, "\(name) indptr")
        #expect(csr?.indices == documentedNumbers("indices").map { Int($0) }, "\(name) indices")
        #expect(csr?.data == data, "\(name) data")
    }
}
