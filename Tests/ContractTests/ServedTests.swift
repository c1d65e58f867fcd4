import Fixtures
import Foundation
import Operators
import Service
import Testing

/// What the service says of its own contract.
struct ServedTests {
    // Catches: a binary with another contract inside than the one beside it.
    @Test("the contract is served as it is")
    func contractIsServed() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        let yaml = try client.request("GET", "/openapi.yaml").body
        #expect(Data(yaml) == (try Data(contentsOf: ContractFile.yamlURL)), "rebuild")
        let json = try Tree(json: client.request("GET", "/openapi.json").body)
        let isSame = json == (try ContractFile.tree())
        #expect(isSame, "/openapi.json differs from openapi.yaml; run script/openapi-json, rebuild")
    }

    // Catches: an operator or a property of one that GET /operators forgets or words otherwise.
    @Test("GET /operators is the registry")
    func operatorsAreTheRegistry() throws {
        let found = try Evidence().operators
        let operators = Registry.all.map { op -> Tree in
            let descriptor = op.descriptor
            return [
                "name": .string(descriptor.name), "summary": .string(descriptor.summary),
                "formula": .string(descriptor.formula), "source": .string(descriptor.source),
                "directions": Tree(op.directions.map { $0.rawValue }),
                "dtypes": Tree(DType.allCases.map { $0.rawValue }),
                "accepts_negative_infinity": .bool(descriptor.acceptsNegativeInfinity),
                "parameters": .list(descriptor.parameters.map { Self.tree($0) }),
                "inputs": .list(descriptor.inputs.map { Self.tree($0) }),
                "outputs": .list(descriptor.outputs.map { Self.tree($0) }),
            ]
        }
        ExampleTests.expectSame(found, ["operators": .list(operators)], "GET /operators")
    }

    private static func tree(_ spec: TensorSpec) -> Tree {
        [
            "name": .string(spec.name), "doc": .string(spec.doc),
            "shape": .string(spec.shape.name), "required": .bool(spec.isRequired),
        ]
    }

    private static func tree(_ spec: ParameterSpec) -> Tree {
        var members: [String: Tree] = [
            "name": .string(spec.name), "unit": .string(spec.unit), "doc": .string(spec.doc),
            "per_row": .bool(spec.isPerRow), "required": .bool(spec.isRequired),
            "directions": Tree(spec.directions.map { $0.rawValue }),
        ]
        switch spec.kind {
        case .boolean:
            members["type"] = "boolean"
        case .subset(let words):
            members["type"] = "array"
            members["values"] = Tree(words)
        case .integer(let minimum, let maximum, let atMostRowLength):
            members["type"] = "integer"
            members["minimum"] = .number(Double(minimum))
            members["maximum"] = maximum.map { .number(Double($0)) }
            if atMostRowLength { members["maximum"] = "n" }
        case .number(let minimum, let maximum, let fractions, let atMostRowLength):
            members["type"] = "number"
            members["minimum"] = .number(minimum)
            members["maximum"] = maximum.map { .number($0) }
            if atMostRowLength { members["maximum"] = "n" }
            if !fractions.isEmpty { members["values"] = Tree(fractions.keys.sorted()) }
        case .choice(let words):
            members["type"] = "string"
            members["values"] = Tree(words)
        }
        switch spec.defaultValue {
        case .required, .requiredWithout, .absent: break
        case .boolean(let value): members["default"] = .bool(value)
        case .words(let words): members["default"] = Tree(words)
        case .integer(let value): members["default"] = .number(Double(value))
        case .number(let value, let spelling):
            members["default"] = Double(spelling) == value ? .number(value) : .string(spelling)
        case .word(let word): members["default"] = .string(word)
        }
        return .object(members)
    }

    // Catches: a name that codecs take and openapi.yaml does not know, or the other way round. The
    // service lists what it knows when it is asked for something that it does not know.
    @Test("the names that the service knows are the contract's", arguments: Registry.names)
    func namesAgree(operatorName: String) throws {
        let tree = try ContractFile.tree()
        let op = try #require(Registry.find(operatorName))
        let request = Comparison.requestName(operatorName)
        let properties = tree[["components", "schemas", request, "properties"]]?.keys ?? []
        let service = try LiveService()
        defer { service.stop() }
        for direction in op.directions {
            let path = Comparison.path(direction)
            let json = try service.client().post(
                path, json: #"{"operator": "\#(operatorName)", "no_such": 1}"#)
            let known = Self.knownNames(json.text)
            let elsewhere = Direction.allCases.compactMap { $0.stackName }.filter {
                $0 != direction.stackName
            }
            let parameters = op.descriptor.parameters.filter {
                !$0.directions.contains(direction)
            }
            let absent = elsewhere + parameters.map { $0.name }
            #expect(known == properties.filter { !absent.contains($0) })

            let raw = try service.client().request(
                "POST", "\(path)?operator=\(operatorName)&no_such=1",
                headers: [("Content-Type", "application/octet-stream")], body: [0, 0, 0, 0])
            let own = op.descriptor.parameters.map { $0.name }
            let others = Registry.all.flatMap { $0.descriptor.parameters.map { $0.name } }
            let hasInputs = op.descriptor.inputs.contains { $0.shape != .weights }
            let names = Comparison.queryNames(direction).filter {
                own.contains($0) || (!others.contains($0) && (hasInputs || $0 != "inputs"))
            }
            #expect(Self.knownNames(raw.text) == names.sorted())
        }
    }

    /// From "there is no parameter no_such; there are x, operator, ...", sorted.
    private static func knownNames(_ text: String) -> [String] {
        let problem = try? Tree(json: text.utf8)
        let detail = problem?["detail"]?.text ?? ""
        guard let list = detail.split(separator: "there are ").last else { return [] }
        return list.split(separator: ", ").map { String($0) }.sorted()
    }
}
