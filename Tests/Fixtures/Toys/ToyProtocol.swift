import Encodings
import Execution
import MicroHTTPD
import Operators
import Protocols

/// A protocol with routes, an envelope and errors of its own: POST /toy/OPERATOR/PROCEDURE with one
/// line a parameter or row, "k 2" or "x 3 1 2"; answered by one line "column:value ..." a row.
struct ToyProtocol: ServiceProtocol {
    func routes(_ catalog: Catalog, _ encodings: [any Encoding.Type]) -> [Route] {
        [Route("/toy/{operator}/{procedure}", .invoke(ToyInvoker(catalog: catalog)), self)]
    }

    func reply(_ problem: Problem, requestID: String) -> Reply {
        let text = "\(problem.code.rawValue) \(problem.field ?? "-"): \(problem.detail)\n"
        let reply = Reply(status: problem.code.status, contentType: "text/x-toy", text: text)
        problem.addHeaders(to: reply)
        return reply
    }
}

private struct ToyInvoker: Invoker {
    let catalog: Catalog
    let mediaTypes = ["text/x-toy"]

    func admit(_ head: RequestHead) throws(HeaderRefusal) -> any Dialogue {
        let names = head.target.captures
        guard
            let procedure = catalog.procedures.first(where: {
                $0.operatorName == names[0] && $0.name == names[1]
            })
        else {
            throw .notFound(
                path: head.target.path, known: catalog.procedures.map { $0.operatorName })
        }
        return ToyDialogue(procedure)
    }
}

private final class ToyDialogue: Dialogue {
    let encoding: any Encoding.Type = JSONEncoding.self
    let label = "toy"
    private let procedure: Procedure

    init(_ procedure: Procedure) { self.procedure = procedure }

    func decode(
        _ body: RawBuffer, _ target: RequestTarget, _ scratch: inout AnyObject, _ pool: BufferPool
    ) throws(ServiceError) -> Invocation {
        let layout = AnswerLayout(format: .csr, indexDType: .int32)
        var builder = InvocationBuilder(
            procedure, dtype: .float64, layout, protocolNames: [], pool)
        return try builder.build(ToySource(String(decoding: body.bytes, as: UTF8.self)))
    }

    func encode(
        _ result: borrowing InvocationResult, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        var text = ""
        result.answer.forEachRow { rows, row in
            for entry in rows.indptr[row]..<rows.indptr[row + 1] {
                guard let data = rows.data.baseAddress else { continue }
                text += "\(rows.indices[entry]):\(rows.dtype.load(data, at: entry)) "
            }
            text += "\n"
        }
        let buffer = try pool.takeForAnswer(byteCount: text.utf8.count, beside: result.heldBytes)
        text.withUTF8 { buffer.append(UnsafeRawBufferPointer($0)) }
        return buffer
    }

    func addHeaders(
        of result: borrowing InvocationResult, _ add: (StaticString, String) -> Void
    ) {
        add("Content-Type", "text/x-toy")
    }
}

private final class ToySource: TensorSource {
    private var values: [String: [[Double]]] = [:]
    let names: [String]

    init(_ text: String) {
        var names: [String] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let name = words.first.map({ String($0) }) else { continue }
            if !names.contains(name) { names.append(name) }
            values[name, default: []].append(words.dropFirst().map { Double($0) ?? .nan })
        }
        self.names = names
    }

    func parameter(_ spec: ParameterSpec, rowCount: Int) throws(ServiceError) -> RawValue? {
        values[spec.name].map { $0[0].count == 1 ? .number($0[0][0]) : .numbers($0[0]) }
    }

    func hasInput(_ name: String) -> Bool { values[name] != nil }

    func tensor(_ question: TensorQuestion) throws(ServiceError) -> EncodedTensor? {
        guard let rows = values[question.spec.name] else { return nil }
        let numbers = rows.flatMap { $0 }
        let buffer = RawBuffer(capacity: numbers.count * question.dtype.byteCount)
        for (i, value) in numbers.enumerated() {
            question.dtype.store(value, buffer.memory, at: i)
        }
        return EncodedTensor(
            dtype: question.dtype, shape: [rows.count, rows[0].count], buffer)
    }
}
