import Execution
import Operators

/// application/octet-stream: raw little-endian row-major numbers, parameters in the query. The body
/// is computed where it lies: nothing is copied on the way in.
///
/// An answer is sections, each zero-padded to a multiple of 8 bytes, so that a reader can view them
/// in place; a dense answer alone is its numbers.
package enum RawEncoding: Encoding {
    package static var name: String { "octet-stream" }
    package static var mediaType: String { "application/octet-stream" }
    package static func isBare(_ query: Query) -> Bool {
        !query.items.contains { $0.name == "inputs" }
    }
    package static func workingBytes(bodyBytes: Int) -> Int { 0 }

    package static func open(
        _ message: Message, _ scratch: inout AnyObject, _ pool: BufferPool
    ) throws(ServiceError) -> any TensorSource {
        RawSource(message)
    }

    package static func headers(
        of result: borrowing InvocationResult, _ add: (StaticString, String) -> Void
    ) {
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
        AnswerSections(result).forEach(result) { section, _, prefix, name in
            if !list.isEmpty { list += "," }
            list += "\(prefix)\(name):\(section.element.name):\(section.count)"
        }
        add("Topk-Sections", list)
    }

    package static func encode(
        _ result: borrowing InvocationResult, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        let byteCount = byteCount(of: result)
        let buffer = try pool.takeForAnswer(byteCount: byteCount, beside: result.heldBytes)
        buffer.count = byteCount
        write(result, to: buffer.memory)
        return buffer
    }

    private static func byteCount(of result: borrowing InvocationResult) -> Int {
        let isBare = isBare(result)
        var total = 0
        AnswerSections(result).forEach(result) { section, _, _, _ in
            total += size(section, isBare: isBare)
        }
        return total
    }

    private static func write(
        _ result: borrowing InvocationResult, to memory: UnsafeMutableRawPointer
    ) {
        let isBare = isBare(result)
        var start = memory
        AnswerSections(result).forEach(result) { section, rows, _, _ in
            let size = size(section, isBare: isBare)
            if size >= 8 { start.storeBytes(of: 0, toByteOffset: size - 8, as: UInt64.self) }
            section.write(rows, to: start)
            start += size
        }
    }

    /// Nothing follows the numbers of a dense answer: no padding either.
    private static func isBare(_ result: borrowing InvocationResult) -> Bool {
        result.layout.format == .dense && result.further.isEmpty
    }

    private static func size(_ section: AnswerSection, isBare: Bool) -> Int {
        isBare ? section.byteCount : (section.byteCount + 7) & ~7
    }
}
