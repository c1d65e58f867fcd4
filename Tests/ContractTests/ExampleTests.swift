import Fixtures
import Operators
import Protocols
import Service
import Testing

/// Every example of openapi.yaml, sent to a live service.
struct ExampleTests {
    // Catches: an example whose answer is out of date, by a digit, a member or a header.
    @Test("requests get the answers of the same name")
    func requestsAreAnswered() throws {
        let tree = try ContractFile.tree()
        let service = try LiveService()
        defer { service.stop() }
        var count = 0
        for route in Route.all {
            guard case .invoke = route.action else { continue }
            let operation = tree[["paths", route.pattern, "post"]] ?? .null
            let json: Tree.Path = ["content", "application/json", "examples"]
            for (name, request) in operation[["requestBody"] + json]?.members ?? [:] {
                let body = request["value"]?.json() ?? ""
                let response = try service.client().post(route.pattern, json: body)
                let expected = operation[["responses", "200"] + json + [name, "value"]]
                #expect(response.status == 200, "\(route.pattern) \(name)")
                Self.expectSame(try Tree(json: response.body), expected, "\(route.pattern) \(name)")
                Self.expectHeaders(response, tree, route.pattern, "post", "application/json")
                count += 1
            }
        }
        #expect(count >= 2 * Registry.all.count)
    }

    // Catches: a page that says something else than its example.
    @Test("pages say what their examples say")
    func pagesSayTheirExamples() throws {
        let tree = try ContractFile.tree()
        let service = try LiveService()
        defer { service.stop() }
        for route in Route.all where route.method == "GET" {
            let response = try service.client().request("GET", route.pattern)
            #expect(response.status == 200, "\(route.pattern)")
            Self.expectHeaders(response, tree, route.pattern, "get", route.mediaTypes[0])
            let content = tree[["paths", route.pattern, "get", "responses", "200", "content"]]
            let examples = content?[[route.mediaTypes[0], "examples"]]?.members ?? [:]
            for (name, example) in examples {
                if let text = example["value"]?.text {
                    #expect(response.text == text, "\(route.pattern) \(name)")
                } else {
                    let page = try Tree(json: response.body)
                    Self.expectSame(page, example["value"], "\(route.pattern) \(name)")
                }
            }
            // HEAD is answered wherever GET is.
            let head = try service.client().request("HEAD", route.pattern)
            #expect(head.status == 200 && head.body.isEmpty, "HEAD \(route.pattern)")
        }
    }

    // Catches: an example of a problem that is answered otherwise than it says.
    @Test("problems are what their x-request provokes")
    func problemsAreProvoked() throws {
        let tree = try ContractFile.tree()
        for (name, response) in tree[["components", "responses"]]?.members ?? [:] {
            let content = response[["content", "application/problem+json"]]
            for (example, problem) in content?["examples"]?.members ?? [:] {
                let id = problem[["value", "request_id"]]?.text ?? ""
                let answer = try Self.answer(to: problem["x-request"] ?? .null, requestID: id)
                #expect(answer.status == problem[["value", "status"]]?.value.map { Int($0) })
                Self.expectSame(try Tree(json: answer.body), problem["value"], "\(name) \(example)")
                Self.expectHeaders(answer, response, tree, "application/problem+json", name)
            }
        }
    }

    // MARK: Steps

    /// A service's answer to an x-request.
    static func answer(to request: Tree, requestID: String) throws -> HTTPClient.Response {
        if let special = request["while"]?.text, special != "another upload holds the memory" {
            return try answer(to: request, requestID: requestID, special)
        }
        guard request["while"] != nil else {
            let service = try LiveService()
            defer { service.stop() }
            return try send(request, requestID: requestID, service.client())
        }
        let budget = 1 << 20
        let service = try LiveService { $0.limits.inflightBytesMax = budget }
        defer { service.stop() }
        // An upload that takes all memory, and never comes.
        let holder = try service.holdMemory(byteCount: budget)
        return try withExtendedLifetime(holder) {
            try send(request, requestID: requestID, service.client())
        }
    }

    /// The answer of a service that was started differently.
    private static func answer(
        to request: Tree, requestID: String, _ special: String
    ) throws -> HTTPClient.Response {
        let service = try LiveService(doors: .withSlowWork) { configuration in
            switch special {
            case "a search keeps the only worker": configuration.limits.workers = 1
            case "tokens are asked for": configuration.tokens = Tokens(text: "secret")
            case "the budget is small":
                configuration.limits.inflightBytesMax = 64 << 10
                configuration.limits.bodyBytesMax = 64 << 10
            default: Issue.record("no such situation: \(special)")
            }
        }
        defer { service.stop() }
        let busy = special.hasPrefix("a search") ? try service.occupyWorker() : nil
        return try withExtendedLifetime(busy) {
            try send(request, requestID: requestID, service.client())
        }
    }

    /// Sends an x-request: a JSON body to POST /topk unless it says otherwise.
    static func send(_ request: Tree, requestID: String, _ client: HTTPClient) throws
        -> HTTPClient.Response
    {
        let method = request["method"]?.text ?? "POST"
        var headers = ["X-Request-Id": requestID]
        if method == "POST" { headers["Content-Type"] = "application/json" }
        for (name, value) in request["headers"]?.members ?? [:] { headers[name] = value.text }
        let body = request["body"].map { Array(($0.text ?? $0.json()).utf8) }
        return try client.request(
            method, request["path"]?.text ?? "/topk",
            headers: headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, body: body)
    }

    static func expectSame(_ found: Tree, _ documented: Tree?, _ place: String) {
        let isSame = found == documented
        #expect(
            isSame,
            """
            \(place): openapi.yaml has \(documented?.json() ?? "nothing"), \
            the service answers \(found.json())
            """)
    }

    private static func expectHeaders(
        _ answer: HTTPClient.Response, _ tree: Tree, _ path: String, _ method: String,
        _ mediaType: String
    ) {
        let response = tree[["paths", path, method, "responses", "200"]]
        expectHeaders(answer, response, tree, mediaType, path)
    }

    /// The answer's headers are those that the response lists, and fit their schemas.
    static func expectHeaders(
        _ answer: HTTPClient.Response, _ response: Tree?, _ tree: Tree, _ mediaType: String,
        _ place: String
    ) {
        let type = answer.header("Content-Type") ?? ""
        #expect(type.prefix { $0 != ";" } == mediaType, "\(place)")
        let listed = response?["headers"]?.members ?? [:]
        for (name, header) in listed {
            let header = tree.resolving(header)
            guard let text = answer.header(name) else {
                #expect(header?["required"] != true, "\(place): no \(name)")
                continue
            }
            let schema = header?["schema"] ?? .null
            let isNumber = tree.resolving(schema)?["type"] == "integer"
            let value = isNumber ? Double(text).map { .number($0) } ?? .null : Tree.string(text)
            #expect(SchemaCheck(document: tree).errors(value, against: schema, at: name) == [])
        }
        let always = ["Date", "Connection", "Content-Type", "Content-Length"]
        let unlisted = answer.headers.map { $0.name }.filter {
            listed[$0] == nil && !always.contains($0)
        }
        #expect(unlisted == [], "\(place) lists these headers")
    }
}
