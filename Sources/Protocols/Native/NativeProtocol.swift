import Encodings
import Execution
import MicroHTTPD
import Operators

/// The service's own protocol: POST /topk, /topk/vjp and so on, the operator and its parameters as
/// members of a JSON object or in the query, answers in the encoding of the request.
package struct NativeProtocol: ServiceProtocol {
    package init() {}

    package func routes(
        _ catalog: Catalog, _ encodings: [any Encoding.Type]
    ) -> [Route] {
        catalog.routes.map { path in
            Route(path, .invoke(NativeInvoker(path, catalog, encodings)), self)
        }
    }

    package func reply(_ problem: Problem, requestID: String) -> Reply {
        NativeProblem.reply(problem, requestID: requestID)
    }
}

/// One of its routes.
final class NativeInvoker: Invoker {
    let mediaTypes: [String]
    private let negotiation: Negotiation
    /// For each encoding of requests, one for each encoding of answers.
    private let dialogues: [[NativeDialogue]]

    init(_ path: String, _ catalog: Catalog, _ encodings: [any Encoding.Type]) {
        let procedures = catalog.procedures(route: path)
        let areDocuments = procedures.contains {
            if case .document = $0.work { true } else { false }
        }
        let encodings = areDocuments ? encodings.filter { $0.carriesDocuments } : encodings
        let fields = NativeFields(procedures, catalog)
        negotiation = Negotiation(encodings)
        mediaTypes = encodings.map { $0.mediaType }
        dialogues = encodings.map { encoding in
            encodings.map { NativeDialogue(encoding, answer: $0, fields) }
        }
    }

    func admit(_ head: RequestHead) throws(HeaderRefusal) -> any Dialogue {
        let request = try negotiation.request(head)
        return dialogues[request][try negotiation.answer(head, mirroring: request)]
    }
}

/// A pair of encodings on one route.
final class NativeDialogue: Dialogue {
    let encoding: any Encoding.Type
    let label: String
    private let answer: any Encoding.Type
    private let fields: NativeFields

    init(_ encoding: any Encoding.Type, answer: any Encoding.Type, _ fields: NativeFields) {
        self.encoding = encoding
        self.answer = answer
        self.fields = fields
        label =
            encoding.name == answer.name ? encoding.name : "\(encoding.name)>\(answer.name)"
    }

    func decode(
        _ body: RawBuffer, _ target: RequestTarget, _ scratch: inout AnyObject, _ pool: BufferPool
    ) throws(ServiceError) -> Invocation {
        let query = try target.query.get()
        let source = try encoding.open(Message(body: body, query: query), &scratch, pool)
        var builder = try fields.builder(source, pool)
        return try builder.build(source)
    }

    func encode(
        _ result: borrowing InvocationResult, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        try answer.encode(result, pool)
    }

    func addHeaders(
        of result: borrowing InvocationResult, _ add: (StaticString, String) -> Void
    ) {
        add("Content-Type", answer.mediaType)
        answer.headers(of: result, add)
    }
}
