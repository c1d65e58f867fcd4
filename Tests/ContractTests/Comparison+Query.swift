import Encodings
import Execution
import Operators
import Protocols
import Service

/// Query parameters, which application/octet-stream needs.
extension Comparison {
    mutating func compareQueries() {
        for route in Route.all {
            guard case .invoke = route.action,
                let direction = Direction.allCases.first(where: { $0.route == route.pattern })
            else { continue }
            let listed = tree[["paths", route.pattern, "post", "parameters"]]?.elements ?? []
            let names = Self.queryNames(direction)
            expectSame(
                listed.compactMap { tree.resolving($0)?["name"]?.text }, Self.headerNames + names,
                "\(route.pattern) parameters")
            for parameter in listed {
                let name = tree.resolving(parameter)?["name"]?.text ?? ""
                expect(parameter, Self.reference("parameters", name), "\(route.pattern) parameters")
            }
            for name in names { compareQuery(name) }
        }
        expect(
            component("parameters", "Topk-Timeout-Ms")?.withoutProse,
            [
                "name": "Topk-Timeout-Ms", "in": "header",
                "schema": [
                    "type": "integer", "minimum": 1,
                    "maximum": .number(Double(Limits.clientTimeoutMillisecondsMax)),
                ],
            ], "Topk-Timeout-Ms")
        expect(
            component("parameters", "Content-Encoding")?.withoutProse,
            [
                "name": "Content-Encoding", "in": "header",
                "schema": [
                    "type": "string",
                    "enum": Tree(["identity"] + ContentCoding.allCases.map { $0.rawValue }),
                ],
            ], "Content-Encoding")
        expect(
            component("parameters", "X-Request-Id")?.withoutProse,
            [
                "name": "X-Request-Id", "in": "header",
                "schema": ["type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"],
            ], "X-Request-Id")
    }

    /// Headers that a POST may bring beside those of HTTP itself.
    static let headerNames = ["X-Request-Id", "Topk-Timeout-Ms", "Content-Encoding"]

    /// Further inputs that raw bodies may have.
    private static let rawInputs: [String] = {
        var names: [String] = []
        for input in Registry.all.flatMap({ $0.descriptor.inputs })
        where input.shape != .weights && !names.contains(input.name) {
            names.append(input.name)
        }
        return names
    }()

    /// All names that a query may have.
    static func queryNames(_ direction: Direction) -> [String] {
        var names = ["n", "shape", "operator", "dtype", "format", "index_dtype", "width"]
        if let stack = direction.stackName { names.append(stack + "s") }
        let inputs = Registry.all.filter { $0.directions.contains(direction) }
            .flatMap { $0.descriptor.inputs }
        if inputs.contains(where: { $0.shape != .weights }) { names.append("inputs") }
        let operators = Registry.all.filter { $0.directions.contains(direction) }
        let specs = operators.flatMap { $0.descriptor.parameters }.filter {
            $0.directions.contains(direction)
        }
        for spec in specs where !names.contains(spec.name) { names.append(spec.name) }
        return names
    }

    private mutating func compareQuery(_ name: String) {
        let place = "query parameter \(name)"
        guard let parameter = component("parameters", name) else {
            differences.append("there is no \(place)")
            return
        }
        let specs = Registry.all.flatMap { $0.descriptor.parameters }.filter { $0.name == name }
        // 1,2,3 is one value and not three; only lists need to say so.
        let isList =
            name == "shape" || name == "inputs"
            || specs.contains { spec in
                if case .subset = spec.kind { return true }
                return spec.isPerRow
            }
        expect(parameter["in"], "query", place)
        expect(parameter["explode"] ?? true, .bool(!isList), "\(place) explode")
        expectSame(
            parameter.withoutProse.keys,
            ["name", "in", "schema"] + (isList ? ["explode"] : []), place)
        if specs.isEmpty {
            expect(parameter["schema"], Self.schemas[name] ?? .null, place)
        } else {
            compareQuery(parameter["schema"], specs, place)
        }
        if parameter["description"] == nil && name != "operator" {
            expectProse(tree.resolving(parameter["schema"]), ["description"], place)
        }
    }

    private static let schemas: [String: Tree] = [
        "n": ["type": "integer", "minimum": 1, "maximum": .number(Double(Limits.rowLengthMax))],
        "shape": [
            "type": "array", "minItems": 1, "maxItems": 2,
            "items": ["type": "integer", "minimum": 1],
        ],
        "inputs": [
            "type": "array", "minItems": 1, "uniqueItems": true,
            "items": ["type": "string", "enum": Tree(Self.rawInputs)],
        ],
        "cotangents": [
            "type": "integer", "minimum": 1, "maximum": .number(Double(Limits.cotangentsMax)),
        ],
        "tangents": [
            "type": "integer", "minimum": 1, "maximum": .number(Double(Limits.cotangentsMax)),
        ],
        "operator": reference("schemas", "OperatorName"),
        "width": reference("schemas", "Width"),
        "dtype": reference("schemas", "DType"),
        "format": reference("schemas", "AnswerFormat"),
        "index_dtype": reference("schemas", "IndexDType"),
    ]

    /// Operators may share a name and differ in its range: then the schema is anyOf theirs.
    private mutating func compareQuery(
        _ schema: Tree?, _ specs: [ParameterSpec], _ place: String
    ) {
        let choices = schema?["anyOf"]?.elements ?? [schema ?? .null]
        let candidates = choices.map { tree.resolving($0) }
        for spec in specs {
            let found = candidates.map { self.differences(spec, $0, place) }
            if !found.contains([]) { differences += found[0] }
        }
        for candidate in candidates
        where !specs.contains(where: { self.differences($0, candidate, place).isEmpty }) {
            differences.append("\(place): no operator has \(candidate?.json() ?? "nothing")")
        }
    }
}
