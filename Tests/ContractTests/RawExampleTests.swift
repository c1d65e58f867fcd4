import Fixtures
import Operators
import Service
import Testing

/// The examples once more, as raw numbers: what openapi.yaml says of octet-stream in words.
struct RawExampleTests {
    // Catches: query parameters, headers or a layout of raw bodies other than openapi.yaml says.
    @Test(
        "as octet-stream, each example has the same answer",
        arguments: Direction.allCases.map { Comparison.path($0) })
    func examplesAgree(path: String) throws {
        let tree = try ContractFile.tree()
        let operation = tree[["paths", path, "post"]] ?? .null
        let examples: Tree.Path = ["content", "application/json", "examples"]
        let service = try LiveService()
        defer { service.stop() }
        for (name, example) in operation[["requestBody"] + examples]?.members ?? [:] {
            let request = example["value"] ?? .null
            // Only JSON has room for it.
            if request["w"] != nil { continue }
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
        case .bool(let value): [value ? 1 : 0]
        default: tree.elements.flatMap { numbers($0) }
        }
    }

    private static func shape(_ tree: Tree) -> [Int] {
        guard case .list(let elements) = tree else { return [] }
        return [elements.count] + shape(elements.first ?? .null)
    }

    private static func body(_ request: Tree) -> [UInt8] {
        let stack = request["cotangent"] ?? request["tangent"] ?? []
        return Wire.bytes(numbers(request["x"] ?? .null) + numbers(stack), dtype(request))
    }

    private static func dtype(_ tree: Tree) -> DType {
        tree["dtype"]?.text.flatMap { DType(rawValue: $0) } ?? .float32
    }

    /// Everything beside the arrays; their shapes by name.
    private static func query(_ request: Tree) -> String {
        let x = shape(request["x"] ?? .null)
        var items = ["shape=" + x.map { "\($0)" }.joined(separator: ",")]
        for name in ["cotangent", "tangent"] {
            let stack = shape(request[name] ?? .null)
            if stack.count > x.count { items.append("\(name)s=\(stack[0])") }
        }
        for (name, value) in request.members where !["x", "cotangent", "tangent"].contains(name) {
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
        let dtype = dtype(documented)
        let shape = numbers(documented["shape"] ?? .null).map { "\(Int($0))" }
        #expect(answer.header("Topk-Format") == documented["format"]?.text, "\(name)")
        #expect(answer.header("Topk-Dtype") == documented["dtype"]?.text, "\(name)")
        #expect(answer.header("Topk-Shape") == shape.joined(separator: ","), "\(name)")
        let data = numbers(documented["data"] ?? .null)
        #expect(answer.header("Topk-Nnz") == "\(data.count { $0 != 0 })", "\(name)")
        // No example asks for int64.
        let isDense = documented["format"] == "dense"
        #expect(answer.header("Topk-Index-Dtype") == (isDense ? nil : "int32"), "\(name)")
        let width = documented["width"]?.value.map { "\(Int($0))" }
        #expect(answer.header("Topk-Width") == width, "\(name)")

        // Every member with numbers is a section, and every section a member.
        let fields = ["operator", "format", "shape", "dtype", "width"]
        var expected: [String: [Double]] = [:]
        for (field, value) in documented.members where !fields.contains(field) {
            if value.members.isEmpty { expected[field] = numbers(value) }
            for (member, inner) in value.members {
                expected["\(field).\(member)"] = numbers(inner)
            }
        }
        // A shortest decimal reads back as the number that was printed.
        let found = Wire.sections(answer)
        #expect(found?.keys.sorted() == expected.keys.sorted(), "\(name)")
        for (section, values) in expected {
            let exact = ["residual"].contains(section) || dtype == .float64
            let rounded = exact ? values : values.map { Double(Float($0)) }
            #expect(found?[section] == rounded, "\(name) \(section)")
        }
    }
}
