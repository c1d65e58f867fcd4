import Execution
import Operators
import Protocols
import Service

/// Schemas of answers, pages and problems.
extension Comparison {
    mutating func compareAnswers() {
        let names = AnswerFormat.allCases.map { $0.rawValue.capitalized + "Answer" }
        expect(
            schema("Answer")?.withoutProse,
            ["oneOf": .list(names.map { Self.reference("schemas", $0) })], "Answer")
        let own: [AnswerFormat: [String]] = [
            .csr: ["indptr", "indices"], .dense: [], .padded: ["width", "indices"],
        ]
        for (format, name) in zip(AnswerFormat.allCases, names) {
            let properties = schema(name)?["properties"] ?? [:]
            let required = ["operator", "format", "shape", "dtype", "data"] + (own[format] ?? [])
            expectSame(schema(name)?["required"]?.words ?? [], required, "\(name) required")
            expectSame(
                properties.keys, required + Self.furtherOutputs(), "\(name) properties")
            expect(
                properties["format"], ["type": "string", "const": .string(format.rawValue)],
                "\(name).format")
            expect(properties["operator"], Self.reference("schemas", "OperatorName"), name)
            expect(properties["dtype"], Self.reference("schemas", "DType"), name)
            compareOutputs(properties, (own[format] ?? []).filter { $0 != "width" }, name)
        }
        for route in Route.all {
            guard case .invoke = route.action else { continue }
            let content = tree[["paths", route.pattern, "post", "responses", "200", "content"]]
            expect(
                content?[["application/json", "schema"]], Self.reference("schemas", "Answer"),
                route.pattern)
            expect(
                content?[["application/octet-stream", "schema"]],
                Self.reference("schemas", "RawAnswer"), route.pattern)
        }
        for (place, expected) in Self.schemas {
            let path = place.split(separator: ".").map { String($0) }
            expect(tree[["components"] + path]?.withoutProse, expected, place)
        }
        comparePages()
    }

    /// Outputs of one number a row by their names, others by their group's.
    private static func furtherOutputs() -> [String] {
        var names: [String] = []
        for spec in Registry.all.flatMap({ $0.descriptor.outputs }) {
            var name = spec.name
            if case .shared(let group) = spec.shape { name = group }
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// The schema of an array in JSON that has no format of its own.
    static func expected(_ shape: TensorSpec.Shape, _ type: TensorSpec.Element) -> Tree {
        let nested = ["Vector", "Matrix"].map { Self.reference("schemas", $0) }
        switch shape {
        case .perRow:
            let element: Tree =
                switch type {
                case .answer, .float64: ["type": "number"]
                case .word(let words): ["type": "string", "enum": Tree(words)]
                case .int64: ["type": "integer"]
                case .bool: ["type": "boolean"]
                }
            let list: Tree = ["type": "array", "minItems": 1, "items": element]
            let lists: Tree = ["type": "array", "minItems": 1, "items": list]
            return ["oneOf": .list([element] + (type == .answer ? nested : [list, lists]))]
        case .indices:
            let list: Tree = [
                "type": "array",
                "items": [
                    "type": "integer", "minimum": 0,
                    "maximum": .number(Double(Limits.rowLengthMax - 1)),
                ],
            ]
            return ["oneOf": [list, ["type": "array", "minItems": 1, "items": list]]]
        default:
            return ["oneOf": .list(nested)]
        }
    }

    /// Each further output says what its descriptor says, and a group has all its members.
    private mutating func compareOutputs(_ properties: Tree, _ columns: [String], _ place: String) {
        var groups: [String: [String]] = [:]
        for spec in Registry.all.flatMap({ $0.descriptor.outputs }) {
            var member: (group: String, name: String)?
            if case .shared(let group) = spec.shape { member = (group, spec.name) }
            if case .sparse = spec.shape { member = (spec.name, "data") }
            guard let member else {
                comparePlain(properties[spec.name], spec, "\(place).\(spec.name)")
                continue
            }
            let group = tree.resolving(properties[member.group])
            if groups[member.group]?.contains(member.name) != true {
                groups[member.group, default: columns].append(member.name)
            }
            expectDescription(
                tree.resolving(group?["properties"]?[member.name]), says: [spec.doc],
                "\(place).\(spec.name)")
        }
        for (group, members) in groups {
            let schema = tree.resolving(properties[group])
            expectSame(schema?["required"]?.words ?? [], members, "\(place).\(group) required")
            expectSame(schema?["properties"]?.keys ?? [], members, "\(place).\(group)")
            for member in members {
                if columns.contains(member) && member != "data" {
                    expect(
                        schema?["properties"]?[member], properties[member] ?? .null,
                        "\(place).\(group).\(member)")
                } else {
                    expect(
                        tree.resolving(schema?["properties"]?[member])?.withoutProse,
                        tree.resolving(Self.reference("schemas", "PaddedNumbers"))?.withoutProse
                            ?? .null, "\(place).\(group).\(member)")
                }
            }
        }
    }

    /// Operators may share an output's name: then its schema is anyOf theirs.
    private mutating func comparePlain(_ property: Tree?, _ spec: TensorSpec, _ place: String) {
        let choices = property?["anyOf"]?.elements ?? [property ?? .null]
        let found = choices.map { choice in
            var comparison = Comparison(tree: tree, evidence: evidence)
            let schema = tree.resolving(choice)
            comparison.expectDescription(schema, says: [spec.doc], place)
            comparison.expect(
                schema?.withoutProse, Self.expected(spec.shape, spec.type), place)
            return comparison.differences
        }
        if !found.contains([]) { differences += found[0] }
    }

    /// Rows, in up to two further axes, of `element`.
    private static func padded(_ element: Tree) -> Tree {
        let row: Tree = ["type": "array", "items": element]
        let rows: Tree = ["type": "array", "minItems": 1, "items": row]
        return ["oneOf": [row, rows, ["type": "array", "minItems": 1, "items": rows]]]
    }

    private static func integer(from minimum: Tree) -> Tree {
        ["type": "integer", "minimum": minimum]
    }

    /// Parts of answers that no table in the code has, by the path below components.
    private static let schemas: [String: Tree] = [
        "schemas.Shape": ["type": "array", "minItems": 1, "items": integer(from: 1)],
        "schemas.CsrAnswer.properties.indptr": reference("schemas", "Indptr"),
        "schemas.CsrAnswer.properties.indices": reference("schemas", "Indices"),
        "schemas.PaddedAnswer.properties.indices": reference("schemas", "PaddedIndices"),
        "schemas.PaddedAnswer.properties.data": reference("schemas", "PaddedNumbers"),
        "schemas.PaddedAnswer.properties.width": integer(from: 0),
        "schemas.PaddedIndices": padded(integer(from: 0)),
        "schemas.PaddedNumbers": padded(["type": "number"]),
        "schemas.Indptr": ["type": "array", "minItems": 2, "items": integer(from: 0)],
        "schemas.Indices": [
            "type": "array",
            "items": [
                "type": "integer", "minimum": 0,
                "maximum": .number(Double(Limits.rowLengthMax - 1)),
            ],
        ],
        "schemas.Health.properties.status": ["type": "string", "const": "ok"],
        "schemas.Problem.properties.type": ["type": "string", "const": "about:blank"],
        "schemas.Problem.properties.cotangent": integer(from: 0),
        "schemas.Problem.properties.tangent": integer(from: 0),
        "schemas.Problem.properties.row": integer(from: 0),
        "schemas.Problem.properties.column": integer(from: 0),
        "schemas.Operator.properties.directions.items": [
            "type": "string", "enum": Tree(Direction.allCases.map { $0.rawValue }),
        ],
        "schemas.Parameter.properties.type": [
            "type": "string", "enum": ["integer", "number", "string", "boolean", "array"],
        ],
        "schemas.Parameter.properties.directions.items": [
            "type": "string", "enum": Tree(Direction.allCases.map { $0.rawValue }),
        ],
        "schemas.Tensor.properties.shape": [
            "type": "string", "enum": Tree(TensorSpec.Shape.names),
        ],
        "schemas.Parameter.properties.maximum": [
            "oneOf": [["type": "number"], ["type": "string", "const": "n"]]
        ],
        "headers.X-Request-Id.schema": ["type": "string"],
        "headers.Server-Timing.schema": ["type": "string"],
        "headers.Allow.schema": ["type": "string"],
        "headers.WWW-Authenticate.schema": ["type": "string"],
        "headers.Retry-After.schema": integer(from: 1),
        "headers.Topk-Format.schema": reference("schemas", "AnswerFormat"),
        "headers.Topk-Shape.schema": ["type": "string", "pattern": "^[0-9]+(,[0-9]+)*$"],
        "headers.Topk-Nnz.schema": integer(from: 0),
        "headers.Topk-Dtype.schema": reference("schemas", "DType"),
        "headers.Topk-Index-Dtype.schema": reference("schemas", "IndexDType"),
        "headers.Topk-Width.schema": integer(from: 0),
        "headers.Topk-Sections.schema": [
            "type": "string",
            "pattern": "^[a-z_.]+:[a-z0-9]+:[0-9]+(,[a-z_.]+:[a-z0-9]+:[0-9]+)*$",
        ],
    ]

    // MARK: Pages

    /// Pages against what a service answers.
    private mutating func comparePages() {
        for route in Route.all {
            let place = "\(route.pattern) 200"
            let content = tree[["paths", route.pattern, "get", "responses", "200", "content"]]
            let page = route.mediaTypes.first.flatMap { content?[$0] }
            switch route.pattern {
            case "/healthz": expect(page?["schema"], Self.reference("schemas", "Health"), place)
            case "/operators":
                expect(page?["schema"], Self.reference("schemas", "Operators"), place)
            case "/openapi.yaml", "/openapi.json":
                expect(page?["schema"], ["type": "object"], place)
            case _ where route.method == "GET":
                expect(page?["schema"], ["type": "string"], place)
            default: break
            }
            let isShown = page?["examples"]?.members.isEmpty == false
            if route.isPublic && !isShown {
                differences.append("\(place) has no example")
            }
        }
        let operators = evidence.operators["operators"]?.elements ?? []
        let parameters = operators.flatMap { $0["parameters"]?.elements ?? [] }
        compareObjects([evidence.health], "Health")
        compareObjects([evidence.operators], "Operators")
        compareObjects(operators, "Operator")
        compareObjects(parameters, "Parameter")
        compareObjects(
            operators.flatMap { ($0["inputs"]?.elements ?? []) + ($0["outputs"]?.elements ?? []) },
            "Tensor")
        compareObjects([evidence.problem], "Problem")
    }

    /// Required is what all of them have; other properties are some's.
    private mutating func compareObjects(_ instances: [Tree], _ name: String) {
        for instance in instances { expectValid(instance, schema(name), name) }
        let everywhere = (instances.first?.keys ?? []).filter { key in
            instances.allSatisfy { $0[key] != nil }
        }
        expectSame(schema(name)?["required"]?.words ?? [], everywhere, "\(name) required")
    }
}
