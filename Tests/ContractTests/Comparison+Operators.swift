import Inference
import Operators
import Service

/// Schemas of JSON requests: one for each operator, from its descriptor.
extension Comparison {
    /// "top_kast" -> "TopKastRequest".
    static func requestName(_ operatorName: String) -> String {
        let words = operatorName.split(separator: "_")
        return words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Request"
    }

    mutating func compareRequests() {
        let names = Registry.all.map { Self.requestName($0.descriptor.name) }
        expect(
            schema("Request")?.withoutProse,
            ["oneOf": .list(names.map { Self.reference("schemas", $0) })], "Request")
        let request = Self.reference("schemas", "Request")
        expect(
            schema("ForwardRequest")?.withoutProse,
            ["allOf": [request], "not": ["required": ["cotangent"]]], "ForwardRequest")
        expect(
            schema("VjpRequest")?.withoutProse,
            ["allOf": [request], "required": ["cotangent"]], "VjpRequest")
        for (path, name) in [("/topk", "ForwardRequest"), ("/topk/vjp", "VjpRequest")] {
            let content = tree[["paths", path, "post", "requestBody", "content"]]
            expect(
                content?[["application/json", "schema"]], Self.reference("schemas", name), path)
            expect(
                content?[["application/octet-stream", "schema"]],
                Self.reference("schemas", "Raw\(name)"), path)
        }
        let schemas = tree[["components", "schemas"]]?.keys ?? []
        expectSame(
            schemas.filter { $0.hasSuffix("Request") },
            names + [
                "Request", "ForwardRequest", "VjpRequest", "RawForwardRequest", "RawVjpRequest",
            ], "request schemas")
        for op in Registry.all { compareRequest(op) }
        compareTensors()
        compareWords()
    }

    private mutating func compareRequest(_ op: any Operator) {
        let descriptor = op.descriptor
        let name = Self.requestName(descriptor.name)
        guard let schema = schema(name) else {
            differences.append("there is no \(name)")
            return
        }
        let isDefault = descriptor.name == Registry.names[0]
        expect(schema["title"], .string(descriptor.name), "\(name) title")
        expectDescription(
            schema, says: [descriptor.summary, "`\(descriptor.formula)`", descriptor.source], name)
        expect(schema["type"], "object", "\(name) type")
        expect(schema["additionalProperties"], false, "\(name) additionalProperties")

        let parameters = descriptor.parameters
        let required =
            (isDefault ? [] : ["operator"]) + ["x"]
            + parameters.filter { $0.defaultValue == .required }.map { $0.name }
            + descriptor.inputs.filter { $0.isRequired }.map { $0.name }
        expectSame(schema["required"]?.words ?? [], required, "\(name) required")

        let properties = schema["properties"] ?? [:]
        let tensors = op.directions.contains(.vjp) ? ["x", "cotangent"] : ["x"]
        expectSame(
            properties.keys,
            ["operator", "dtype", "format", "index_dtype"] + tensors + parameters.map { $0.name }
                + descriptor.inputs.map { $0.name }, "\(name) properties")
        var word: [String: Tree] = ["type": "string", "const": .string(descriptor.name)]
        if isDefault { word["default"] = .string(descriptor.name) }
        expect(properties["operator"], .object(word), "\(name).operator")
        for (field, target) in Self.sharedFields {
            expect(properties[field], Self.reference("schemas", target), "\(name).\(field)")
        }
        expect(
            properties["x"],
            Self.reference(
                "schemas", descriptor.acceptsNegativeInfinity ? "Scores" : "FiniteScores"),
            "\(name).x")
        if tensors.contains("cotangent") {
            expect(
                properties["cotangent"], Self.reference("schemas", "Cotangent"),
                "\(name).cotangent")
        }
        for spec in parameters {
            differences += differences(
                spec, tree.resolving(properties[spec.name]), "\(name).\(spec.name)")
        }
        for input in descriptor.inputs {
            expectDescription(
                tree.resolving(properties[input.name]), says: [input.doc], "\(name).\(input.name)")
        }
    }

    private static let sharedFields = [
        ("dtype", "DType"), ("format", "AnswerFormat"), ("index_dtype", "IndexDType"),
    ]

    /// How a parameter's schema differs from its descriptor: type, range, words, default, texts.
    func differences(_ spec: ParameterSpec, _ schema: Tree?, _ place: String) -> [String] {
        var comparison = Comparison(tree: tree, evidence: evidence)
        comparison.expect(schema?.withoutProse, Self.expected(spec), place)
        let unit = spec.unit == "none" ? [] : [spec.unit]
        comparison.expectDescription(schema, says: [spec.doc] + unit, place)
        return comparison.differences
    }

    /// The one way in which openapi.yaml writes a parameter.
    private static func expected(_ spec: ParameterSpec) -> Tree {
        var one: [String: Tree] = [:]
        var others: [Tree] = []
        var more: [String: Tree] = [:]
        switch spec.kind {
        case .integer(let minimum, let atMostRowLength):
            one = ["type": "integer", "minimum": .number(Double(minimum))]
            if atMostRowLength { more["x-maximum"] = "n" }
        case .number(let minimum, let maximum, let fractions):
            one = ["type": "number", "minimum": .number(minimum)]
            one["maximum"] = maximum.map { .number($0) }
            others = fractions.keys.sorted().map { ["type": "string", "const": .string($0)] }
        case .choice(let words):
            one = ["type": "string", "enum": Tree(words)]
        }
        if spec.isPerRow { others.append(["type": "array", "minItems": 1, "items": .object(one)]) }
        switch spec.defaultValue {
        case .required: break
        case .integer(let value): more["default"] = .number(Double(value))
        case .number(let value, let spelling):
            more["default"] = Double(spelling) == value ? .number(value) : .string(spelling)
        case .word(let word): more["default"] = .string(word)
        }
        let shape = others.isEmpty ? one : ["oneOf": .list([.object(one)] + others)]
        return .object(shape.merging(more) { $1 })
    }

    // MARK: What every request has

    private mutating func compareWords() {
        let tables: [(String, [String], String)] = [
            ("DType", DType.allCases.map { $0.rawValue }, DType.float32.rawValue),
            ("AnswerFormat", AnswerFormat.allCases.map { $0.rawValue }, AnswerFormat.csr.rawValue),
            ("IndexDType", IndexDType.allCases.map { $0.rawValue }, IndexDType.int32.rawValue),
            ("OperatorName", Registry.names, Registry.names[0]),
        ]
        for (name, words, fallback) in tables {
            expect(
                schema(name)?.withoutProse,
                ["type": "string", "enum": Tree(words), "default": .string(fallback)], name)
        }
        expectDescription(schema("IndexDType"), says: ["\(Int32.max)"], "IndexDType")
    }

    private mutating func compareTensors() {
        func array(_ items: Tree) -> Tree { ["type": "array", "minItems": 1, "items": items] }
        func named(_ name: String) -> Tree { Self.reference("schemas", name) }
        let score: Tree = [
            "oneOf": [["type": "number"], ["type": "string", "const": "-Infinity"]]
        ]
        var schemas: [(String, Tree)] = [
            ("Scores", ["oneOf": [named("ScoreRow"), array(named("ScoreRow"))]]),
            ("ScoreRow", array(score)),
            ("Cotangent", named("Numbers")),
            ("Numbers", ["oneOf": [named("Vector"), named("Matrix"), array(named("Matrix"))]]),
            ("Matrix", array(named("Vector"))),
            ("Vector", array(["type": "number"])),
        ]
        if Registry.all.contains(where: { !$0.descriptor.acceptsNegativeInfinity }) {
            schemas.append(("FiniteScores", ["oneOf": [named("Vector"), named("Matrix")]]))
        }
        for (name, expected) in schemas { expect(schema(name)?.withoutProse, expected, name) }
        expectDescription(schema("Cotangent"), says: ["\(Limits.cotangentsMax)"], "Cotangent")
    }
}
