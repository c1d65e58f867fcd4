import Codecs
import Operators
import Service

/// Paths, methods, statuses, media types and problem codes.
extension Comparison {
    mutating func compareRoutes() {
        expectSame(tree["paths"]?.keys ?? [], Route.all.map { $0.path }, "paths")
        var operationIDs: [String] = []
        for route in Route.all {
            guard let path = tree[["paths", route.path]] else { continue }
            let method = route.endpoint.method.lowercased()
            expectSame(path.keys, [method], route.path)
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
            tree[["paths", route.path, route.endpoint.method.lowercased(), "tags"]]?.words ?? []
        }
        expectSame(tags.compactMap { $0["name"]?.text }, Set(used).sorted(), "tags")
    }

    private mutating func compareOperation(_ operation: Tree, _ route: Route) {
        let endpoint = route.endpoint
        expectProse(operation, ["summary", "description"], route.path)
        if operation["tags"]?.words.count != 1 {
            differences.append("\(route.path) has not one tag")
        }
        let responses = operation["responses"] ?? [:]
        expectSame(
            responses.keys, endpoint.statuses.map { "\($0)" }, "\(route.path) responses")
        for status in endpoint.statuses where status != 200 {
            compareProblem(
                responses["\(status)"], status,
                endpoint.problems.filter { $0.status == status }, "\(route.path) \(status)")
        }
        let success = responses["200"]
        compareMediaTypes(success, endpoint.mediaTypes, "\(route.path) 200")
        expectProse(success, ["description"], "\(route.path) 200")
        if case .compute = endpoint {
            expect(operation[["requestBody", "required"]], true, "\(route.path) body")
            compareMediaTypes(
                operation["requestBody"], CodecRegistry.all.map { $0.mediaType },
                "\(route.path) body")
            compareHeaders(success, Self.computeHeaders, "\(route.path) 200")
        } else {
            expect(operation["requestBody"] ?? .null, .null, "\(route.path) body")
            compareHeaders(success, ["X-Request-Id"], "\(route.path) 200")
            expect(
                operation["parameters"], [Self.reference("parameters", "X-Request-Id")],
                "\(route.path) parameters")
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
        let inOperations = Set(Route.all.flatMap { $0.endpoint.problems })
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
