import Operators
import Testing

/// The comparison is only worth what it notices.
struct MutationTests {
    // Catches: a comparison that would let a route, status, media type, operator, parameter, bound,
    // default, word or problem code go missing.
    @Test("whatever is deleted from openapi.yaml is missed")
    func deletionsAreNoticed() async throws {
        let tree = try ContractFile.tree()
        let paths = Self.paths(tree)
        #expect(try await Self.unnoticed(paths, in: tree) { _ in nil } == [])
        #expect(paths.count > 1000, "deletions that were tried")
        Self.expectCoverage(paths)
    }

    // Catches: a comparison that sees that there is a bound, a word or a default, and not which.
    @Test("whatever is changed in openapi.yaml is noticed")
    func changesAreNoticed() async throws {
        let tree = try ContractFile.tree()
        // A text for people may be worded otherwise, as long as it says what it must; so may ids.
        let free = ["description", "summary", "title", "operationId"]
        let paths = Self.paths(tree).filter { path in
            tree[path].flatMap { Self.change($0) } != nil && !free.contains(path.last ?? "")
        }
        #expect(try await Self.unnoticed(paths, in: tree) { Self.change($0) } == [])
        #expect(paths.count > 500, "changes that were tried")
    }

    /// Another value of the same kind; nil for what has parts.
    private static func change(_ tree: Tree) -> Tree? {
        switch tree {
        case .bool(let bool): .bool(!bool)
        case .number(let value): .number(value + 1)
        case .string(let text): .string(text + "x")
        case .null, .list, .object: nil
        }
    }

    /// Those places whose change the comparison does not see.
    private static func unnoticed(
        _ paths: [Tree.Path], in tree: Tree, _ change: (Tree) -> Tree?
    ) async throws -> [String] {
        let evidence = try Evidence()
        let isRight = Comparison.differences(of: tree, evidence).isEmpty
        try #require(isRight, "openapi.yaml has to be right before it is made wrong")
        var unnoticed: [String] = []
        for path in paths {
            let differences = Comparison.differences(
                of: tree.changing(path[...], change), evidence, stopsEarly: true)
            if differences.isEmpty { unnoticed.append(path.joined(separator: "/")) }
            // Seconds of work: other tests may have deadlines.
            await Task.yield()
        }
        return unnoticed
    }

    private static func paths(_ tree: Tree) -> [Tree.Path] {
        tree.paths(notBelow: isExample).filter { !isOptional($0, in: tree) }
    }

    /// What the contract promises must be among the deletions.
    private static func expectCoverage(_ paths: [Tree.Path]) {
        let last = paths.map { $0.last ?? "" }
        for name in ["minimum", "maximum", "x-maximum", "default", "enum", "const", "required"] {
            #expect(last.contains(name), "\(name) is deleted somewhere")
        }
        let starts = [
            ["paths", "/topk"], ["paths", "/topk/vjp", "post", "responses", "503"],
            ["components", "schemas", "MaskRequest", "properties", "k"],
            ["components", "schemas", "ShortRows", "enum", "1"],
            ["components", "schemas", "Problem", "properties", "code", "enum", "0"],
            ["components", "parameters", "lambda"],
        ]
        for start in starts { #expect(paths.contains(start), "\(start) is deleted") }
    }

    /// Inside an example anything goes; the live tests look at it.
    private static func isExample(_ path: Tree.Path) -> Bool { path.suffix(2).first == "examples" }

    /// What may as well not be there: a second example of one problem, and texts for people other
    /// than those of operations, responses, operators and their parameters.
    private static func isOptional(_ path: Tree.Path, in tree: Tree) -> Bool {
        if path.starts(with: ["components", "responses"]) && isExample(path) { return true }
        guard ["description", "title", "summary"].contains(path.last), tree[path]?.text != nil
        else { return false }
        if path.starts(with: ["components", "schemas"]) {
            return path.count > 4 || !describedSchemas(tree).contains(path[2])
        }
        return path.starts(with: ["components", "parameters"]) || path.first == "servers"
    }

    /// Those of operators and of their parameters.
    private static func describedSchemas(_ tree: Tree) -> [String] {
        Registry.all.flatMap { op in
            let name = Comparison.requestName(op.descriptor.name)
            let parameters = op.descriptor.parameters.compactMap { spec in
                tree[["components", "schemas", name, "properties", spec.name, "$ref"]]?.text
            }
            return [name] + parameters.map { String($0.split(separator: "/").last ?? "") }
        }
    }
}
