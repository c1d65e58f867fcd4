import Execution
import Operators

@testable import Encodings

/// Decodes requests as the native protocol does, without a header.
enum Decoding {
    static let pool = BufferPool(budgetBytes: 1 << 24)

    /// A raw request for the operator that its query names.
    static func raw(
        _ query: String, _ direction: Direction, _ body: RawBuffer
    ) throws(ServiceError) -> Invocation {
        let query = try Query(query[...])
        var scratch: AnyObject = body
        let source = try RawEncoding.open(Message(body: body, query: query), &scratch, pool)
        func word(_ name: String) -> String? { query.items.first { $0.name == name }?.value }
        let op = Registry.find(word("operator") ?? "mask")
        guard let procedure = op?.procedures.first(where: { $0.name == direction.rawValue }) else {
            throw .internalError
        }
        guard let dtype = DType(rawValue: word("dtype") ?? "float32") else {
            throw .invalidQuery(reason: "dtype")
        }
        var builder = InvocationBuilder(
            procedure, dtype: dtype, AnswerLayout(format: .csr, indexDType: .int32),
            protocolNames: ["operator", "dtype"], pool)
        return try builder.build(source)
    }

    /// A body of zeros.
    static func zeros(_ byteCount: Int) -> RawBuffer {
        let body = RawBuffer(capacity: byteCount)
        body.memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        body.count = byteCount
        return body
    }
}
