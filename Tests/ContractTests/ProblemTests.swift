import Fixtures
import Operators
import Protocols
import Service
import Testing

/// Every problem code, provoked, against the status and the response that openapi.yaml gives it.
struct ProblemTests {
    // Catches: a code that no request gets any more, and one that comes with another status, or
    // from an operation that does not list it.
    @Test("every code is answered as its response says", arguments: ProblemCode.allCases)
    func codesAreProvoked(code: ProblemCode) throws {
        // A bug of ours has no request; a service that drains takes no new connection.
        if code == .internalError || code == .draining { return }
        // DeadlineTests have it: the client has to half-close.
        if code == .clientGone { return }
        // Until there is an operator without a gradient.
        if code == .noSuchDirection && Registry.all.allSatisfy({ $0.directions.contains(.vjp) }) {
            return
        }
        let tree = try ContractFile.tree()
        let request = try #require(Self.requests[code], "no request for \(code.rawValue)")
        let answer = try ExampleTests.answer(to: request, requestID: code.rawValue)
        let problem = try Tree(json: answer.body)
        #expect(problem["code"]?.text == code.rawValue, "\(answer.text)")
        #expect(answer.status == code.status)
        #expect(problem["request_id"]?.text == code.rawValue)
        Self.expectListed(answer, problem, request, tree)
    }

    // Catches: a refusal of a page that openapi.yaml does not list there.
    @Test("pages refuse as their responses say", arguments: Route.all.map { $0.pattern })
    func pagesRefuse(path: String) throws {
        let tree = try ContractFile.tree()
        let service = try LiveService()
        defer { service.stop() }
        let refusals: [(status: Int, headers: Tree)] = [
            (400, ["Host": "another"]), (411, ["Transfer-Encoding": "chunked"]),
            (413, ["Content-Length": "300000000"]),
            (501, ["Transfer-Encoding": "gzip"]),
        ]
        for (status, headers) in refusals {
            let method = Route.all.first { $0.pattern == path }?.method ?? ""
            let request: Tree = [
                "method": .string(method), "path": .string(path), "headers": headers,
            ]
            let answer = try ExampleTests.send(request, requestID: "page", service.client())
            #expect(answer.status == status)
            Self.expectListed(answer, try Tree(json: answer.body), request, tree)
        }
    }

    /// The operation, or x-responses, lists the status, and its response the code.
    private static func expectListed(
        _ answer: HTTPClient.Response, _ problem: Tree, _ request: Tree, _ tree: Tree
    ) {
        let path = (request["path"]?.text ?? "/topk").prefix { $0 != "?" }
        let method = (request["method"]?.text ?? "POST").lowercased()
        let status = "\(answer.status)"
        let listed =
            tree[["paths", String(path), method, "responses", status]]
            ?? tree[["x-responses", status]]
        guard let response = tree.resolving(listed) else {
            Issue.record("\(method) \(path) does not list \(status)")
            return
        }
        let type = "application/problem+json"
        let schema = response[["content", type, "schema"]] ?? .null
        let errors = SchemaCheck(document: tree).errors(problem, against: schema)
        #expect(errors == [], "\(answer.text)")
        ExampleTests.expectHeaders(answer, response, tree, type, "\(path) \(status)")
    }

    private static let raw: Tree = ["Content-Type": "application/octet-stream"]

    /// As x-request in openapi.yaml: a JSON body to POST /topk unless it says otherwise.
    private static let requests: [ProblemCode: Tree] = [
        .invalidHeader: ["headers": ["Host": "another"], "body": "{}"],
        .invalidTarget: ["path": "/topk?k=%00", "body": "{}"],
        .invalidJSON: ["body": "[1, 2]"],
        .duplicateKey: ["body": #"{"x": [1], "k": 1, "k": 1}"#],
        .tooDeep: ["body": ["x": [[[[[1]]]]], "k": 1]],
        .numberTooLarge: ["body": #"{"x": [1e999], "k": 1}"#],
        .invalidQuery: ["path": "/topk?n=%zz", "headers": raw, "body": "four"],
        .misplacedParameter: ["path": "/topk", "body": ["x": [1], "k": 1, "n": 1]],
        .notFound: ["method": "GET", "path": "/favicon.ico"],
        .methodNotAllowed: ["method": "DELETE", "path": "/topk"],
        .notAcceptable: ["headers": ["Accept": "image/png"], "body": "{}"],
        .lengthRequired: ["headers": ["Transfer-Encoding": "chunked"]],
        .bodyTooLarge: ["headers": ["Content-Length": "300000000"]],
        .unsupportedMediaType: ["headers": ["Content-Type": "text/csv"], "body": "1,2"],
        .unsupportedContentEncoding: ["headers": ["Content-Encoding": "br"], "body": "{}"],
        .invalidEncodedBody: ["headers": ["Content-Encoding": "gzip"], "body": "{}"],
        .unauthorized: ["while": "tokens are asked for", "body": ["x": [1], "k": 1]],
        .answerTooLarge: [
            "while": "the budget is small", "path": "/topk?n=1&k=1&format=dense",
            "headers": ["Content-Type": "application/octet-stream", "Accept": "application/json"],
            "body": .string(String(repeating: "A", count: 16 << 10)),
        ],
        .deadlinePassed: [
            "headers": ["Topk-Timeout-Ms": "5"],
            "body": [
                "x": .list((0..<3000).map { .number(Double($0 * 7919 % 3001)) }), "k": 1500,
                "solver": "dykstra", "p": 2, "lambda": 1000, "tolerance": 0,
                "max_iterations": 100_000,
            ],
        ],
        .unknownParameter: ["body": ["x": [1], "k": 1, "temperature": 1]],
        .unknownOperator: ["body": ["x": [1], "k": 1, "operator": "median"]],
        .missingParameter: ["body": ["k": 1]],
        .wrongType: ["body": ["x": [1], "k": "1"]],
        .outOfRange: ["body": ["x": [1], "k": 2]],
        .raggedRows: ["body": ["x": [[1, 2], [1]], "k": 1]],
        .emptyRows: ["body": ["x": [[]], "k": 1]],
        .wrongShape: ["body": ["x": [[1, 2]], "k": [1, 1]]],
        .wrongBodyLength: ["path": "/topk?n=2&k=1", "headers": raw, "body": "seven b"],
        .tooManyElements: ["path": "/topk?shape=999999,2147483647", "headers": raw, "body": ""],
        .noSuchDirection: [
            "path": "/topk/vjp",
            "body": [
                "operator": .string(
                    Registry.all.first { !$0.directions.contains(.vjp) }?.descriptor.name ?? ""),
                "x": [1], "cotangent": [1],
            ],
        ],
        .incompatibleParameters: ["body": ["x": [1], "k": 1, "width": 1]],
        .widthTooSmall: ["body": ["x": [1, 2], "k": 2, "format": "padded", "width": 1]],
        .notFinite: ["body": ["x": [1, "Infinity"], "k": 1]],
        .tooFewFiniteEntries: ["body": ["x": [1, "-Infinity"], "k": 2]],
        .unsupportedTransferEncoding: ["headers": ["Transfer-Encoding": "br"]],
        .overloaded: [
            "while": "another upload holds the memory", "body": ["x": [3, 1, 2], "k": 2],
        ],
    ]
}
