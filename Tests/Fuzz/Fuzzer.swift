import Encodings
import Glibc
import Execution
import Operators

func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// Decodes, and computes and encodes what was taken.
final class Fuzzer: @unchecked Sendable {
    static let shared = Fuzzer()

    fileprivate let pool = BufferPool(budgetBytes: 1 << 26)
    private let worker = Worker()
    private let output = OperatorOutput()
    private static let numbersMax = 4096
    private static let slowNumbersMax = 64

    /// Query, LF, body.
    func decodeOctets(_ bytes: UnsafeBufferPointer<UInt8>) {
        let query = bytes.prefix { $0 != 10 }
        guard let read = try? Query(String(decoding: query, as: UTF8.self)[...]) else {
            return
        }
        decode(OctetStreamCodec.self, query: read, Array(bytes.dropFirst(query.count + 1)))
    }

    func decode(_ codec: any Codec.Type, query: Query, _ bytes: [UInt8]) {
        // As large as it must be, and no larger: what is read past its padding is found.
        let body = RawBuffer(capacity: bytes.count + codec.paddingBytes)
        body.memory.copyMemory(from: bytes, byteCount: bytes.count)
        body.count = bytes.count
        let direction = Direction.allCases[bytes.count % Direction.allCases.count]
        let message = Message(direction: direction, body: body, query: query)
        guard let request = try? codec.decode(message, worker, pool) else { return }
        compute(request, codec)
    }

    private func compute(_ request: InferenceRequest, _ codec: any Codec.Type) {
        let numbers = request.x.rowCount * request.x.rowLength * request.form.stackCount
        let isQuick = request.form.isQuick
        guard numbers <= (isQuick ? Self.numbersMax : Self.slowNumbersMax) else { return }
        // dykstra may be asked for 10^5 iterations.
        guard isQuick || request.op.addsAxis else { return }
        do {
            try request.check()
        } catch {
            return
        }
        let shape = request.form.answerShape
        output.reset(
            dtype: request.x.dtype, rowLength: shape.rowLength,
            rowCapacity: request.x.rowCount * request.form.stackCount * shape.rowsPerInputRow,
            request.form.outputs)
        let block = RowBlock(
            x: request.x, rows: 0..<request.x.rowCount, parameters: request.parameters,
            inputs: request.inputs)
        guard
            (try? request.op.run(
                request.direction, block, request.stack, into: output, worker.workspace)) != nil
        else { return }
        let result = InferenceResult(request: request, blocks: BlockOutputs(output))
        _ = try? codec.encode(result, pool)
        codec.headers(of: result) { _, _ in }
    }
}

extension Fuzzer {
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
