import Encodings
import Operators
import Protocols
import Service

/// Paths, methods, statuses, media types and problem codes.
extension Comparison {
    mutating func compareRoutes() {
        expectSame(tree["paths"]?.keys ?? [], Route.all.map { $0.pattern }, "paths")
        var operationIDs: [String] = []
        for route in Route.all {
            guard let path = tree[["paths", route.pattern]] else { continue }
            let method = route.method.lowercased()
            expectSame(path.keys, [method], route.pattern)
            guard let operation = path[method] else { continue }
            operationIDs += operation["operationId"].flatMap { $0.text }.map { [$0] } ?? []
            compareOperation(operation, route)
        }
        if Set(operationIDs).count != Route.all.count {
            differences.append("an operationId is missing, or is there twice")
        }
        let tags = tree["tags"]?.elements ?? []
        for tag in tags { expectProse(tag, ["name", "description"], "tags") }
        let used = Route.all.flatMap { route in
            tree[["paths", route.pattern, route.method.lowercased(), "tags"]]?.words ?? []
        }
        expectSame(tags.compactMap { $0["name"]?.text }, Set(used).sorted(), "tags")
    }

    private mutating func compareOperation(_ operation: Tree, _ route: Route) {
        expectProse(operation, ["summary", "description"], route.pattern)
        if operation["tags"]?.words.count != 1 {
            differences.append("\(route.pattern) has not one tag")
        }
        let responses = operation["responses"] ?? [:]
        expectSame(
            responses.keys, route.statuses.map { "\($0)" }, "\(route.pattern) responses")
        for status in route.statuses where status != 200 {
            compareProblem(
                responses["\(status)"], status,
                route.problems.filter { $0.status == status }, "\(route.pattern) \(status)")
        }
        let success = responses["200"]
        compareMediaTypes(success, route.mediaTypes, "\(route.pattern) 200")
        expectProse(success, ["description"], "\(route.pattern) 200")
        if case .invoke = route.action {
            expect(operation[["requestBody", "required"]], true, "\(route.pattern) body")
            compareMediaTypes(
                operation["requestBody"], EncodingRegistry.all.map { $0.mediaType },
                "\(route.pattern) body")
            compareHeaders(success, Self.computeHeaders, "\(route.pattern) 200")
        } else {
            expect(operation["requestBody"] ?? .null, .null, "\(route.pattern) body")
            compareHeaders(success, ["X-Request-Id"], "\(route.pattern) 200")
            expect(
                operation["parameters"], [Self.reference("parameters", "X-Request-Id")],
                "\(route.pattern) parameters")
        }
    }

    private static let computeHeaders = [
        "X-Request-Id", "Server-Timing", "Topk-Format", "Topk-Shape", "Topk-Nnz", "Topk-Dtype",
        "Topk-Index-Dtype", "Topk-Width", "Topk-Sections",
    ]

    private mutating func compareMediaTypes(
        _ message: Tree?, _ mediaTypes: [String], _ place: String
    ) {
        let content = message?["content"] ?? [:]
        expectSame(content.keys, mediaTypes, "\(place) content")
        for (name, type) in content.members where tree.resolving(type["schema"]) == nil {
            differences.append("\(place) \(name) has no schema")
        }
    }

    private mutating func compareHeaders(_ response: Tree?, _ names: [String], _ place: String) {
        expectSame(response?["headers"]?.keys ?? [], names, "\(place) headers")
        for (name, header) in response?["headers"]?.members ?? [:] {
            expect(header, Self.reference("headers", name), "\(place) header \(name)")
            let header = tree.resolving(header)
            expectProse(header, ["description"], "header \(name)")
            // Only those that come with every answer that lists them.
            let isCertain =
                ["X-Request-Id", "Allow", "Retry-After", "WWW-Authenticate"].contains(name)
            expect(header?["required"] ?? false, .bool(isCertain), "header \(name) required")
            if tree.resolving(header?["schema"]) == nil {
                differences.append("header \(name) has no schema")
            }
        }
    }

    // MARK: Problems

    mutating func compareProblems() {
        expect(
            tree[["components", "schemas", "Problem", "properties", "code", "enum"]],
            Tree(ProblemCode.allCases.map { $0.rawValue }), "Problem.code")
        // What no operation answers.
        let inOperations = Set(Route.all.flatMap { $0.problems })
        let elsewhere = ProblemCode.allCases.filter { !inOperations.contains($0) }
        let responses = tree["x-responses"] ?? [:]
        expectSame(responses.keys, elsewhere.map { "\($0.status)" }, "x-responses")
        for code in elsewhere {
            compareProblem(
                responses["\(code.status)"], code.status, [code], "x-responses \(code.status)")
        }
    }

    /// A response that lists exactly these codes, and says what each of them means.
    private mutating func compareProblem(
        _ response: Tree?, _ status: Int, _ codes: [ProblemCode], _ place: String
    ) {
        let response = tree.resolving(response)
        let type = "application/problem+json"
        compareMediaTypes(response, [type], place)
        let schema = response?[["content", type, "schema"]]
        expect(
            schema,
            [
                "$ref": "#/components/schemas/Problem",
                "properties": ["code": ["enum": Tree(codes.map { $0.rawValue })]],
            ], place)
        expectDescription(response, says: codes.map { "`\($0.rawValue)`" }, place)
        var headers = ["X-Request-Id"]
        if status == 401 { headers.append("WWW-Authenticate") }
        if status == 405 { headers.append("Allow") }
        if status == 503 { headers.append("Retry-After") }
        // What a worker refuses is timed, too.
        let isTimed = codes.contains {
            [.invalidJSON, .wrongType, .internalError, .deadlinePassed].contains($0)
        }
        compareHeaders(response, headers + (isTimed ? ["Server-Timing"] : []), place)
    }
}
