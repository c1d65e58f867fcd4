import Foundation

/// As much of JSON Schema 2020-12 as openapi.yaml uses. A keyword that is not understood is an
/// error: nothing is passed over in silence.
struct SchemaCheck {
    let document: Tree

    /// What is wrong with `instance`; empty when it is valid.
    func errors(_ instance: Tree, against schema: Tree, at place: String = "") -> [String] {
        schema.members.sorted { $0.key < $1.key }.flatMap { keyword, rule in
            check(instance, keyword, rule, siblings: schema, place)
        }
    }

    private func check(
        _ instance: Tree, _ keyword: String, _ rule: Tree, siblings: Tree, _ place: String
    ) -> [String] {
        func unless(_ holds: Bool) -> [String] {
            holds ? [] : ["\(place) is \(instance.brief), against \(keyword) \(rule.brief)"]
        }
        switch keyword {
        case "title", "description", "default", "x-maximum":
            return []
        case "$ref":
            guard let target = document.resolving(["$ref": rule]) else {
                return ["\(rule.brief) leads nowhere"]
            }
            return errors(instance, against: target, at: place)
        case "type":
            let names = rule.text.map { [$0] } ?? rule.words
            return unless(names.contains { isType(instance, $0) })
        case "const":
            return unless(instance == rule)
        case "enum":
            return unless(rule.elements.contains(instance))
        case "minimum", "maximum", "pattern":
            return unless(isInRange(instance, keyword, rule))
        case "minItems", "maxItems", "uniqueItems", "items", "properties", "required",
            "additionalProperties":
            return checkParts(instance, keyword, rule, siblings: siblings, place)
        case "not":
            return unless(!errors(instance, against: rule).isEmpty)
        case "allOf":
            return rule.elements.flatMap { errors(instance, against: $0, at: place) }
        case "anyOf":
            return unless(rule.elements.contains { errors(instance, against: $0).isEmpty })
        case "oneOf":
            return unless(rule.elements.count { errors(instance, against: $0).isEmpty } == 1)
        default:
            return ["\(place) keyword \(keyword) is not understood"]
        }
    }

    private func checkParts(
        _ instance: Tree, _ keyword: String, _ rule: Tree, siblings: Tree, _ place: String
    ) -> [String] {
        switch (keyword, instance) {
        case ("items", .list(let elements)):
            return elements.enumerated().flatMap {
                errors($0.element, against: rule, at: "\(place)[\($0.offset)]")
            }
        case ("minItems", .list(let elements)):
            return Double(elements.count) >= rule.value ?? 0 ? [] : ["\(place) is too short"]
        case ("maxItems", .list(let elements)):
            return Double(elements.count) <= rule.value ?? 0 ? [] : ["\(place) is too long"]
        case ("uniqueItems", .list(let elements)):
            let isUnique = elements.enumerated().allSatisfy { index, element in
                !elements[..<index].contains(element)
            }
            return rule == true && !isUnique ? ["\(place) repeats itself"] : []
        case ("properties", .object(let members)):
            return rule.keys.flatMap { name in
                members[name].map {
                    errors($0, against: rule[name] ?? .null, at: "\(place).\(name)")
                } ?? []
            }
        case ("required", .object(let members)):
            return rule.words.filter { members[$0] == nil }.map { "\(place).\($0) is missing" }
        case ("additionalProperties", .object(let members)):
            let known = siblings["properties"]?.keys ?? []
            let unknown = members.keys.filter { !known.contains($0) }
            return rule == false ? unknown.map { "\(place).\($0) is not in the schema" } : []
        default:
            return []
        }
    }

    private func isType(_ instance: Tree, _ name: String) -> Bool {
        switch (instance, name) {
        case (.object, "object"), (.list, "array"), (.string, "string"), (.number, "number"),
            (.bool, "boolean"), (.null, "null"):
            true
        case (.number(let value), "integer"): value == value.rounded()
        default: false
        }
    }

    /// What is not of the keyword's type passes, as JSON Schema has it.
    private func isInRange(_ instance: Tree, _ keyword: String, _ rule: Tree) -> Bool {
        switch (keyword, instance) {
        case ("minimum", .number(let value)): value >= rule.value ?? .infinity
        case ("maximum", .number(let value)): value <= rule.value ?? -.infinity
        case ("pattern", .string(let text)):
            text.range(of: rule.text ?? "$.", options: .regularExpression) != nil
        default: true
        }
    }
}

extension Tree {
    /// For messages; cheap, because oneOf makes and forgets many of them.
    fileprivate var brief: String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .number(let number): "\(number)"
        case .string(let text): "\"\(text)\""
        case .list(let elements): "a list of \(elements.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}
