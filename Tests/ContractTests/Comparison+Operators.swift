import Execution
import Operators
import Protocols
import Service

/// Schemas of JSON requests: one for each operator, from its descriptor.
extension Comparison {
    /// "top_kast" -> "TopKastRequest".
    static func requestName(_ operatorName: String) -> String {
        let words = operatorName.split(separator: "_")
        return words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Request"
    }

    static func path(_ direction: Direction) -> String {
        direction.route
    }

    /// Names that requests of other directions have.
    private static func elsewhere(_ direction: Direction) -> [String] {
        let stacks = Direction.allCases.compactMap { $0.stackName }
        var names: [String] = []
        for spec in Registry.all.flatMap({ $0.descriptor.parameters })
        where !spec.directions.contains(direction) && !names.contains(spec.name) {
            names.append(spec.name)
        }
        return stacks.filter { $0 != direction.stackName } + names
    }

    mutating func compareRequests() {
        let names = Registry.all.map { Self.requestName($0.descriptor.name) }
        expect(
            schema("Request")?.withoutProse,
            ["oneOf": .list(names.map { Self.reference("schemas", $0) })], "Request")
        let request = Self.reference("schemas", "Request")
        var wrappers: [String] = []
        for direction in Direction.allCases {
            let name = direction.rawValue.capitalized + "Request"
            wrappers += [name, "Raw" + name]
            let refusals = Self.elsewhere(direction).map { name -> Tree in
                ["not": ["required": [.string(name)]]]
            }
            var expected: [String: Tree] = ["allOf": .list([request] + refusals)]
            if let stack = direction.stackName { expected["required"] = [.string(stack)] }
            expect(schema(name)?.withoutProse, .object(expected), name)
            let path = Self.path(direction)
            let content = tree[["paths", path, "post", "requestBody", "content"]]
            expect(
                content?[["application/json", "schema"]], Self.reference("schemas", name), path)
            expect(
                content?[["application/octet-stream", "schema"]],
                Self.reference("schemas", "Raw\(name)"), path)
        }
        let schemas = tree[["components", "schemas"]]?.keys ?? []
        expectSame(
            schemas.filter { $0.hasSuffix("Request") }, names + ["Request"] + wrappers,
            "request schemas")
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
        for word in ["oneOf", "anyOf"] {
            let choices = parameters.compactMap { spec -> Tree? in
                guard case .requiredWithout(let others, let isExclusive) = spec.defaultValue,
                    isExclusive == (word == "oneOf")
                else { return nil }
                return .list(([spec.name] + others).map { ["required": [.string($0)]] })
            }
            expect(schema[word] ?? .null, choices.first ?? .null, "\(name) \(word)")
        }

        let properties = schema["properties"] ?? [:]
        let stacks = op.directions.compactMap { $0.stackName }
        expectSame(
            properties.keys,
            ["operator", "x"] + Self.sharedFields.map { $0.0 } + stacks + parameters.map { $0.name }
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
        for stack in stacks {
            expect(
                properties[stack], Self.reference("schemas", stack.capitalized), "\(name).\(stack)")
        }
        for spec in parameters {
            differences += differences(
                spec, tree.resolving(properties[spec.name]), "\(name).\(spec.name)")
        }
        for input in descriptor.inputs {
            let found = tree.resolving(properties[input.name])
            expectDescription(found, says: [input.doc], "\(name).\(input.name)")
            expect(
                found?.withoutProse, Self.expected(input.shape, .answer), "\(name).\(input.name)")
        }
    }

    private static let sharedFields = [
        ("dtype", "DType"), ("format", "AnswerFormat"), ("index_dtype", "IndexDType"),
        ("width", "Width"),
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
        case .boolean:
            one = ["type": "boolean"]
        case .subset(let words):
            one = [
                "type": "array", "minItems": 1, "uniqueItems": true,
                "items": ["type": "string", "enum": Tree(words)],
            ]
        case .integer(let minimum, let maximum, let atMostRowLength):
            one = ["type": "integer", "minimum": .number(Double(minimum))]
            one["maximum"] = maximum.map { .number(Double($0)) }
            if atMostRowLength { more["x-maximum"] = "n" }
        case .number(let minimum, let maximum, let fractions, let atMostRowLength):
            one = ["type": "number", "minimum": .number(minimum)]
            one["maximum"] = maximum.map { .number($0) }
            if atMostRowLength { more["x-maximum"] = "n" }
            others = fractions.keys.sorted().map { ["type": "string", "const": .string($0)] }
        case .choice(let words):
            one = ["type": "string", "enum": Tree(words)]
        }
        if spec.isPerRow { others.append(["type": "array", "minItems": 1, "items": .object(one)]) }
        switch spec.defaultValue {
        case .required, .requiredWithout, .absent: break
        case .boolean(let value): more["default"] = .bool(value)
        case .words(let words): more["default"] = Tree(words)
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
        expect(
            schema("Width")?.withoutProse, ["type": "integer", "minimum": 1, "x-maximum": "n"],
            "Width")
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
            ("Cotangent", named("Numbers")), ("Tangent", named("Numbers")),
            (
                "Numbers",
                [
                    "oneOf": [
                        named("Vector"), named("Matrix"), array(named("Matrix")),
                        array(array(named("Matrix"))),
                    ]
                ]
            ),
            ("Matrix", array(named("Vector"))),
            ("Vector", array(["type": "number"])),
        ]
        if Registry.all.contains(where: { !$0.descriptor.acceptsNegativeInfinity }) {
            schemas.append(("FiniteScores", ["oneOf": [named("Vector"), named("Matrix")]]))
        }
        for (name, expected) in schemas { expect(schema(name)?.withoutProse, expected, name) }
        for name in ["Cotangent", "Tangent"] {
            expectDescription(schema(name), says: ["\(Limits.cotangentsMax)"], name)
        }
    }
}
