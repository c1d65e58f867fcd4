import Operators
import Protocols
import Service

/// The form of the whole, and its examples.
extension Comparison {
    /// References lead somewhere, components are used, objects are closed, values have types.
    mutating func compareForm() {
        var used: Set<String> = []
        collectReferences(tree, &used)
        for reference in used.sorted() where tree.resolving(["$ref": .string(reference)]) == nil {
            differences.append("\(reference) leads nowhere")
        }
        for (kind, components) in tree["components"]?.members ?? [:] {
            for (name, component) in components.members {
                if !used.contains("#/components/\(kind)/\(name)") {
                    differences.append("component \(kind)/\(name) is not used")
                }
                if kind == "schemas" { compareForm(component, name) }
            }
        }
    }

    private func collectReferences(_ tree: Tree, _ found: inout Set<String>) {
        if let reference = tree["$ref"]?.text { found.insert(reference) }
        for child in tree.members.values { collectReferences(child, &found) }
        for child in tree.elements { collectReferences(child, &found) }
    }

    private mutating func compareForm(_ schema: Tree, _ place: String) {
        if let properties = schema["properties"] {
            expect(schema["type"], "object", "\(place) type")
            expect(schema["additionalProperties"], false, "\(place) additionalProperties")
            let unknown = (schema["required"]?.words ?? []).filter { properties[$0] == nil }
            expectSame(unknown, [], "\(place) required, but not a property")
            for (name, property) in properties.members {
                compareForm(property, "\(place).\(name)")
            }
        }
        if schema["type"] == "array" && schema["items"] == nil {
            differences.append("\(place) has no items")
        }
        if let items = schema["items"] { compareForm(items, "\(place)[]") }
        for (index, choice) in ((schema["oneOf"] ?? schema["anyOf"])?.elements ?? [])
            .enumerated()
        where choice.keys != ["required"] {
            compareForm(choice, "\(place)/\(index)")
        }
        let isTyped = ["type", "$ref", "oneOf", "anyOf", "allOf"].contains { schema[$0] != nil }
        // Raw numbers are no JSON; there is only a text to describe them.
        if place.hasPrefix("Raw") {
            expectProse(schema, ["description"], place)
        } else if !isTyped {
            differences.append("\(place) has no type")
        }
    }

    // MARK: Examples

    /// Each request has an answer of the same name; all of them fit their schemas.
    mutating func compareExamples() {
        for route in Route.all {
            let operation = tree[["paths", route.pattern, route.method.lowercased()]]
            let content = operation?[["responses", "200", "content"]] ?? [:]
            for (type, answer) in content.members {
                for (name, example) in answer["examples"]?.members ?? [:] {
                    expectValid(
                        example["value"], answer["schema"], "\(route.pattern) \(type) \(name)")
                }
            }
            guard case .invoke = route.action else { continue }
            compareRequests(
                operation?[["requestBody", "content", "application/json"]],
                content[["application/json", "examples"]]?.keys ?? [], route.pattern)
        }
        for (name, response) in tree[["components", "responses"]]?.members ?? [:] {
            compareProblemExamples(response[["content", "application/problem+json"]], name)
        }
    }

    private mutating func compareRequests(_ request: Tree?, _ answers: [String], _ place: String) {
        let requests = request?["examples"]?.members ?? [:]
        expectSame(answers, requests.keys.sorted(), "\(place) examples of answers")
        for (name, example) in requests {
            expectProse(example, ["summary"], "\(place) \(name)")
            expectValid(example["value"], request?["schema"], "\(place) request \(name)")
        }
        let shown = requests.values.map { $0[["value", "operator"]]?.text ?? Registry.names[0] }
        let hidden = Registry.all.filter { op in
            !shown.contains(op.descriptor.name)
                && op.directions.contains { Self.path($0) == place }
        }
        expectSame(hidden.map { $0.descriptor.name }, [], "\(place) has no example of")
    }

    private mutating func compareProblemExamples(_ problem: Tree?, _ name: String) {
        let examples = problem?["examples"]?.members ?? [:]
        for (example, value) in examples {
            if value["x-request"] == nil {
                differences.append("\(name) \(example) has no x-request")
            }
            expectValid(value["value"], problem?["schema"], "\(name) \(example)")
        }
        // What nobody sends on purpose, and what no single request provokes.
        let rare = [
            "internal_error", "draining", "invalid_header", "unsupported_transfer_encoding",
        ]
        let first = problem?[["schema", "properties", "code", "enum", "0"]]?.text ?? ""
        let isRare = rare.contains(first) && name != "Malformed"
        if examples.isEmpty && !isRare { differences.append("\(name) has no example") }
    }
}
