import Inference
import Operators
import Service

/// Schemas of answers, pages and problems.
extension Comparison {
    mutating func compareAnswers() {
        let names = AnswerFormat.allCases.map { $0.rawValue.capitalized + "Answer" }
        expect(
            schema("Answer")?.withoutProse,
            ["oneOf": .list(names.map { Self.reference("schemas", $0) })], "Answer")
        for (format, name) in zip(AnswerFormat.allCases, names) {
            let properties = schema(name)?["properties"] ?? [:]
            // What lies between dtype and data is the format's own affair.
            let absent = ["operator", "format", "shape", "dtype", "data"].filter {
                properties[$0] == nil
            }
            expectSame(absent, [], "\(name) absent")
            expectSame(schema(name)?["required"]?.words ?? [], properties.keys, "\(name) required")
            expect(
                properties["format"], ["type": "string", "const": .string(format.rawValue)],
                "\(name).format")
            expect(properties["operator"], Self.reference("schemas", "OperatorName"), name)
            expect(properties["dtype"], Self.reference("schemas", "DType"), name)
        }
        for route in Route.all {
            guard case .compute = route.endpoint else { continue }
            let content = tree[["paths", route.path, "post", "responses", "200", "content"]]
            expect(
                content?[["application/json", "schema"]], Self.reference("schemas", "Answer"),
                route.path)
            expect(
                content?[["application/octet-stream", "schema"]],
                Self.reference("schemas", "RawAnswer"), route.path)
        }
        for (place, expected) in Self.schemas {
            let path = place.split(separator: ".").map { String($0) }
            expect(tree[["components"] + path]?.withoutProse, expected, place)
        }
        comparePages()
    }

    private static func integer(from minimum: Tree) -> Tree {
        ["type": "integer", "minimum": minimum]
    }

    /// Parts of answers that no table in the code has, by the path below components.
    private static let schemas: [String: Tree] = [
        "schemas.Shape": ["type": "array", "minItems": 1, "items": integer(from: 1)],
        "schemas.CsrAnswer.properties.indptr": [
            "type": "array", "minItems": 2, "items": integer(from: 0),
        ],
        "schemas.CsrAnswer.properties.indices": [
            "type": "array",
            "items": [
                "type": "integer", "minimum": 0,
                "maximum": .number(Double(Limits.rowLengthMax - 1)),
            ],
        ],
        "schemas.Health.properties.status": ["type": "string", "const": "ok"],
        "schemas.Problem.properties.type": ["type": "string", "const": "about:blank"],
        "schemas.Problem.properties.cotangent": integer(from: 0),
        "schemas.Problem.properties.row": integer(from: 0),
        "schemas.Problem.properties.column": integer(from: 0),
        "schemas.Operator.properties.directions.items": [
            "type": "string", "enum": Tree(Direction.allCases.map { $0.rawValue }),
        ],
        "schemas.Parameter.properties.type": [
            "type": "string", "enum": ["integer", "number", "string"],
        ],
        "schemas.Parameter.properties.maximum": [
            "oneOf": [["type": "number"], ["type": "string", "const": "n"]]
        ],
        "headers.X-Request-Id.schema": ["type": "string"],
        "headers.Server-Timing.schema": ["type": "string"],
        "headers.Allow.schema": ["type": "string"],
        "headers.Retry-After.schema": integer(from: 1),
        "headers.Topk-Format.schema": reference("schemas", "AnswerFormat"),
        "headers.Topk-Shape.schema": ["type": "string", "pattern": "^[0-9]+(,[0-9]+)*$"],
        "headers.Topk-Nnz.schema": integer(from: 0),
        "headers.Topk-Dtype.schema": reference("schemas", "DType"),
        "headers.Topk-Index-Dtype.schema": reference("schemas", "IndexDType"),
    ]

    // MARK: Pages

    /// Pages against what a service answers.
    private mutating func comparePages() {
        for route in Route.all {
            let place = "\(route.path) 200"
            let content = tree[["paths", route.path, "get", "responses", "200", "content"]]
            let page = route.endpoint.mediaTypes.first.flatMap { content?[$0] }
            switch route.endpoint {
            case .compute:
                break
            case .live, .ready, .metrics, .openAPIText:
                expect(page?["schema"], ["type": "string"], place)
            case .openAPIJSON:
                expect(page?["schema"], ["type": "object"], place)
            case .health:
                expect(page?["schema"], Self.reference("schemas", "Health"), place)
            case .operators:
                expect(page?["schema"], Self.reference("schemas", "Operators"), place)
            }
            let isShown = page?["examples"]?.members.isEmpty == false
            if [.live, .ready, .health].contains(route.endpoint) && !isShown {
                differences.append("\(place) has no example")
            }
        }
        let operators = evidence.operators["operators"]?.elements ?? []
        let parameters = operators.flatMap { $0["parameters"]?.elements ?? [] }
        compareObjects([evidence.health], "Health")
        compareObjects([evidence.operators], "Operators")
        compareObjects(operators, "Operator")
        compareObjects(parameters, "Parameter")
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
