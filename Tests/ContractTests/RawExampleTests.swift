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
        let type = dtype(request)
        let stack = Wire.bytes(numbers(request["cotangent"] ?? request["tangent"] ?? []), type)
        let x = Wire.bytes(numbers(request["x"] ?? .null), type)
        let inputs = inputs(request)
        if inputs.isEmpty { return x + stack }
        var body = padded(x)
        for spec in inputs {
            let value = request[spec.name] ?? .null
            guard spec.shape == .indices else {
                body += padded(Wire.bytes(numbers(value), type))
                continue
            }
            let lists = shape(request["x"] ?? .null).count == 1 ? [value] : value.elements
            let ends = lists.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.elements.count) }
            body += padded(int32(ends)) + padded(int32(numbers(value).map { Int($0) }))
        }
        return body + stack
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    }

    private static func int32(_ values: [Int]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: Int32(value)) { Array($0) } }
    }

    /// The further inputs that a request has.
    private static func inputs(_ request: Tree) -> [TensorSpec] {
        let op = request["operator"]?.text.flatMap { Registry.find($0) }
        return (op?.descriptor.inputs ?? []).filter { request[$0.name] != nil }
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
            let op = request["operator"]?.text.flatMap { Registry.find($0) }
            let axes = x.count + (op?.addsAxis == true && name == "cotangent" ? 1 : 0)
            if stack.count > axes { items.append("\(name)s=\(stack[0])") }
        }
        let inputs = inputs(request).map { $0.name }
        if !inputs.isEmpty { items.append("inputs=" + inputs.joined(separator: ",")) }
        let arrays = ["x", "cotangent", "tangent"] + inputs
        for (name, value) in request.members where !arrays.contains(name) {
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
            if value.members.isEmpty && !field.hasSuffix("_mask") {
                expected[field] = numbers(value)
            }
            if field.hasSuffix("_mask") {
                let lists = shape.count == 1 ? [value] : value.elements
                let counts = lists.map { Double($0.elements.count) }
                expected["\(field).indptr"] = counts.reduce(into: [0]) { $0.append($0.last! + $1) }
                expected["\(field).indices"] = numbers(value)
            }
            for (member, inner) in value.members {
                expected["\(field).\(member)"] = numbers(inner)
            }
        }
        // A shortest decimal reads back as the number that was printed.
        let found = Wire.sections(answer)
        #expect(found?.keys.sorted() == expected.keys.sorted(), "\(name)")
        for (section, values) in expected {
            let doubles = ["residual", "threshold", "penalty"]
            let exact = doubles.contains(section) || dtype == .float64
            let rounded = exact ? values : values.map { Double(Float($0)) }
            #expect(found?[section] == rounded, "\(name) \(section)")
        }
    }
}
