import Execution
import Operators
import Protocols
import Service

/// Compares the contract with the tables in the code. Everything that openapi.yaml could say wrong,
/// or leave out, has to become a difference: MutationTests deletes it piece by piece.
struct Comparison {
    let tree: Tree
    let evidence: Evidence
    var differences: [String] = []

    /// - Parameter stopsEarly: whether the first part that differs is enough.
    static func differences(
        of tree: Tree, _ evidence: Evidence, stopsEarly: Bool = false
    ) -> [String] {
        var comparison = Comparison(tree: tree, evidence: evidence)
        let parts: [(inout Comparison) -> Void] = [
            { $0.compareInfo() }, { $0.compareForm() }, { $0.compareQueries() },
            { $0.compareAnswers() }, { $0.compareRequests() }, { $0.compareRoutes() },
            { $0.compareProblems() },
        ]
        for part in parts {
            part(&comparison)
            if stopsEarly && !comparison.differences.isEmpty { return comparison.differences }
        }
        // Schemas judge the examples, so they have to be right themselves.
        if comparison.differences.isEmpty { comparison.compareExamples() }
        return comparison.differences
    }

    private mutating func compareInfo() {
        let settings = Configuration()
        expect(tree["openapi"], "3.1.0", "openapi")
        expect(tree[["info", "title"]], "topkd", "info.title")
        expect(tree[["info", "version"]], .string(Version.current), "info.version")
        expect(
            tree[["info", "license"]],
            ["name": "Apache License 2.0", "identifier": "Apache-2.0"], "info.license")
        expectProse(tree["info"], ["summary", "description"], "info")
        expect(
            tree[["servers", "0", "url"]],
            .string("http://\(settings.host):\(settings.port ?? 0)"), "servers")
        let info = tree[["info", "description"]]?.text ?? ""
        let limits = settings.limits
        // As Gateway has it.
        let jsonBytesMax = limits.inflightBytesMax / (2 + Limits.jsonWorkingBytesPerBodyByte)
        let texts = [
            "\(limits.bodyBytesMax >> 20) MiB", "\(jsonBytesMax >> 20) MiB of JSON",
            "\(limits.inflightBytesMax >> 30) GiB",
            "\(limits.queueDepthMax) waiting",
            "\(Limits.queryBytesMax >> 10) KiB and \(Limits.queryItemsMax) parameters of query",
            "\(Limits.cotangentsMax) cotangents",
        ]
        for limit in texts where !info.contains(limit) {
            differences.append("info.description does not say \"\(limit)\"")
        }
    }

    // MARK: Steps that the comparisons share

    /// A component by kind and name.
    func component(_ kind: String, _ name: String) -> Tree? { tree[["components", kind, name]] }

    func schema(_ name: String) -> Tree? { component("schemas", name) }

    static func reference(_ kind: String, _ name: String) -> Tree {
        ["$ref": .string("#/components/\(kind)/\(name)")]
    }

    mutating func expect(_ found: Tree?, _ expected: Tree, _ place: String) {
        if found != expected {
            differences.append(
                "\(place) is \(found?.json() ?? "absent"), the code says \(expected.json())")
        }
    }

    mutating func expectSame(_ found: [String], _ expected: [String], _ place: String) {
        let missing = Set(expected).subtracting(found).sorted()
        let surplus = Set(found).subtracting(expected).sorted()
        if !missing.isEmpty { differences.append("\(place) lacks \(missing)") }
        if !surplus.isEmpty { differences.append("\(place) has \(surplus), the code does not") }
        if found.count != Set(found).count { differences.append("\(place) repeats itself") }
    }

    /// Texts for people must be there.
    mutating func expectProse(_ tree: Tree?, _ names: [String], _ place: String) {
        for name in names where (tree?[name]?.text ?? "").isEmpty {
            differences.append("\(place) has no \(name)")
        }
    }

    /// Texts of the code must be in a description, as they are.
    mutating func expectDescription(_ tree: Tree?, says texts: [String], _ place: String) {
        let description = tree?["description"]?.text ?? ""
        for text in texts where !description.contains(text) {
            differences.append("\(place): the description does not say \"\(text)\"")
        }
    }

    /// Validates something that a service really says or takes.
    mutating func expectValid(_ instance: Tree?, _ schema: Tree?, _ place: String) {
        guard let instance, let schema else {
            differences.append("\(place) has no schema or no instance")
            return
        }
        differences += SchemaCheck(document: tree).errors(instance, against: schema, at: place)
    }
}

extension Tree {
    /// The tree without texts for people.
    var withoutProse: Tree {
        switch self {
        case .object(let members):
            .object(
                members.filter { key, value in
                    value.text == nil || !["description", "summary", "title"].contains(key)
                }.mapValues { $0.withoutProse })
        case .list(let elements): .list(elements.map { $0.withoutProse })
        default: self
        }
    }
}
