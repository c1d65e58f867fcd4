import Inference
import Operators

/// Writes an answer as raw numbers: sections, each zero-padded to a multiple of 8 bytes, so that a
/// reader can view them in place; a dense answer alone is its numbers.
enum OctetStreamAnswer {
    static func encode(_ result: InferenceResult, _ pool: BufferPool) throws(ServiceError)
        -> EncodedAnswer
    {
        let request = result.request
        var headers: [(name: StaticString, value: String)] = []
        headers.reserveCapacity(7)
        headers.append((name: "Topk-Format", value: request.layout.format.rawValue))
        headers.append((name: "Topk-Shape", value: request.shapeText))
        headers.append((name: "Topk-Nnz", value: String(result.nonzeroCount)))
        headers.append((name: "Topk-Dtype", value: request.x.dtype.rawValue))
        if request.layout.format != .dense {
            headers.append((name: "Topk-Index-Dtype", value: request.layout.indexDType.rawValue))
        }
        if request.layout.format == .padded {
            headers.append((name: "Topk-Width", value: String(result.width)))
        }
        let sections = OctetStreamSections(result).all
        if !result.further.isEmpty {
            let list = sections.map { "\($0.name):\($0.dtype):\($0.count)" }
            headers.append((name: "Topk-Sections", value: list.joined(separator: ",")))
        }
        return EncodedAnswer(headers: headers, body: try write(sections, result, pool))
    }

    private static func write(
        _ sections: [OctetStreamSection], _ result: InferenceResult, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        // Nothing follows the numbers of a dense answer: no padding either.
        let isBare = sections.count == 1
        let total = sections.reduce(0) { $0 + (isBare ? $1.byteCount : padded($1.byteCount)) }
        let buffer = try pool.takeForAnswer(byteCount: total, beside: result.request.heldBytes)
        buffer.count = total
        var start = buffer.memory
        // By index: each section that is handed out is retained, part by part.
        for i in sections.indices {
            let size = isBare ? sections[i].byteCount : padded(sections[i].byteCount)
            if size >= 8 { start.storeBytes(of: 0, toByteOffset: size - 8, as: UInt64.self) }
            sections[i].write(to: start)
            start += size
        }
        return buffer
    }

    private static func padded(_ byteCount: Int) -> Int { (byteCount + 7) & ~7 }
}
