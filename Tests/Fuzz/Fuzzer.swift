import Glibc
import MicroHTTPD
import Operators
import Service

@testable import Encodings
@testable import Execution
@testable import Protocols

func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// Decodes, and computes and encodes what was taken.
final class Fuzzer: @unchecked Sendable {
    static let shared = Fuzzer()

    fileprivate let pool = BufferPool(budgetBytes: 1 << 26)
    private let worker = Worker()
    private let output = OperatorOutput()
    private let router = Router(Route.all.map { ($0.pattern, $0) })
    private static let numbersMax = 4096
    private static let slowNumbersMax = 64

    /// Query, LF, body.
    func decodeOctets(_ bytes: UnsafeBufferPointer<UInt8>) {
        let query = bytes.prefix { $0 != 10 }
        decode(
            RawEncoding.self, query: String(decoding: query, as: UTF8.self),
            Array(bytes.dropFirst(query.count + 1)))
    }

    func decode(_ encoding: any Encoding.Type, query: String, _ bytes: [UInt8]) {
        // As large as it must be, and no larger: what is read past its padding is found.
        let body = RawBuffer(capacity: bytes.count + encoding.paddingBytes)
        body.memory.copyMemory(from: bytes, byteCount: bytes.count)
        body.count = bytes.count
        let direction = Direction.allCases[bytes.count % Direction.allCases.count]
        let procedures = Catalog.standard.procedures(route: direction.route)
        let dialogue = NativeDialogue(
            encoding, answer: encoding, NativeFields(procedures, .standard))
        let target = RequestTarget("\(direction.route)?\(query)", router)
        guard
            let invocation = try? dialogue.decode(
                body, target, &worker.encodingScratch, pool)
        else { return }
        if let prepared = PreparedRequest(invocation, bodyBytes: body.count) {
            precondition(prepared.invocation(body, nil)?.x.shape == invocation.x.shape)
        }
        compute(invocation, dialogue)
    }

    private func compute(_ invocation: Invocation, _ dialogue: any Dialogue) {
        let form = invocation.form
        guard case .rows(let op, let direction) = form.procedure.work else { return }
        let numbers = form.rowCount * form.rowLength * form.stackCount
        let isQuick =
            if case .quick = form.lane { true } else { false }
        guard numbers <= (isQuick ? Self.numbersMax : Self.slowNumbersMax) else { return }
        // dykstra may be asked for 10^5 iterations.
        guard isQuick || op.addsAxis else { return }
        form.reset(output, rowCount: form.rowCount)
        let block = RowBlock(
            x: invocation.x, rows: 0..<form.rowCount, parameters: form.parameters,
            inputs: invocation.inputs)
        guard
            (try? op.run(
                direction, block, invocation.stack, into: output, worker.workspace)) != nil
        else { return }
        let result = InvocationResult(invocation, BlockOutputs(output))
        _ = try? dialogue.encode(result, pool)
        dialogue.addHeaders(of: result) { _, _ in }
    }
}

extension Fuzzer {
    /// Every member as a document, and back.
    func readDocuments(_ bytes: [UInt8]) {
        let body = RawBuffer(capacity: bytes.count + JSONEncoding.paddingBytes)
        body.memory.copyMemory(from: bytes, byteCount: bytes.count)
        body.count = bytes.count
        let message = Message(body: body, query: .empty)
        guard let source = try? JSONEncoding.open(message, &worker.encodingScratch, pool) else {
            return
        }
        for name in source.names {
            guard let document = try? source.document(name) else { continue }
            let text = try? JSONDocument.encode(document, pool)
            precondition(text.map { $0.count > 0 } ?? true)
        }
    }

    func inflate(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let first = bytes.first else { return }
        let body = RawBuffer(capacity: bytes.count)
        for i in 1..<bytes.count {
            body.memory.storeBytes(of: bytes[i], toByteOffset: i - 1, as: UInt8.self)
        }
        body.count = bytes.count - 1
        let coding: ContentCoding = first % 2 == 0 ? .gzip : .deflate
        let limit = 1 << 16
        if let inflated = try? coding.inflate(body, limit: limit, paddingBytes: 64, pool) {
            precondition(inflated.count <= limit && inflated.count + 64 <= inflated.capacity)
        }
    }
}
