import Inference
import Operators

/// Writes an answer as raw numbers: sections, each zero-padded to a multiple of 8 bytes, so that a
/// reader can view them in place; a dense answer alone is its numbers.
enum OctetStreamAnswer {
    static func headers(of result: borrowing InferenceResult, _ add: (StaticString, String) -> Void) {
        let form = result.form
        let layout = form.layout
        add("Topk-Format", layout.format.rawValue)
        add("Topk-Shape", form.shapeText)
        add("Topk-Nnz", String(result.nonzeroCount))
        add("Topk-Dtype", form.dtype.rawValue)
        if layout.format != .dense { add("Topk-Index-Dtype", layout.indexDType.rawValue) }
        if layout.format == .padded { add("Topk-Width", String(result.width)) }
        if result.further.isEmpty { return }
        var list = ""
        OctetStreamSections(result).forEach(result) { section, _, prefix, name in
            if !list.isEmpty { list += "," }
            list += "\(prefix)\(name):\(section.element.name):\(section.count)"
        }
        add("Topk-Sections", list)
    }

    static func encode(_ result: borrowing InferenceResult, _ pool: BufferPool) throws(ServiceError)
        -> RawBuffer
    {
        let sections = OctetStreamSections(result)
        // Nothing follows the numbers of a dense answer: no padding either.
        let isBare = result.layout.format == .dense && result.further.isEmpty
        func size(_ section: OctetStreamSection) -> Int {
            isBare ? section.byteCount : (section.byteCount + 7) & ~7
        }
        var total = 0
        sections.forEach(result) { section, _, _, _ in total += size(section) }
        let buffer = try pool.takeForAnswer(byteCount: total, beside: result.heldBytes)
        buffer.count = total
        var start = buffer.memory
        sections.forEach(result) { section, rows, _, _ in
            let size = size(section)
            if size >= 8 { start.storeBytes(of: 0, toByteOffset: size - 8, as: UInt64.self) }
            section.write(rows, to: start)
            start += size
        }
        return buffer
    }
}
