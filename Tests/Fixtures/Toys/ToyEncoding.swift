import Encodings
import Execution
import Operators

/// An encoding with a header: a line "name dtype axis axis ..." for each tensor, an empty line,
/// then the numbers, one tensor behind the other, however they lie. Parameters are in the query.
enum ToyEncoding: Encoding {
    static var name: String { "toy" }
    static var mediaType: String { "application/x-toy" }

    static func open(
        _ message: Message, _ scratch: inout AnyObject, _ pool: BufferPool
    ) throws(ServiceError) -> any TensorSource {
        try Source(message)
    }

    static func encode(
        _ result: borrowing InvocationResult, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        var head = ""
        var byteCount = 0
        let sections = AnswerSections(result)
        sections.forEach(result) { section, _, prefix, name in
            head += "\(prefix)\(name) \(section.element.name) \(section.count)\n"
            byteCount += section.byteCount
        }
        head += "\n"
        let buffer = try pool.takeForAnswer(
            byteCount: head.utf8.count + byteCount, beside: result.heldBytes)
        head.withUTF8 { buffer.append(UnsafeRawBufferPointer($0)) }
        sections.forEach(result) { section, rows, _, _ in
            // Sections are written where they are aligned, and lie odd here.
            let copy = RawBuffer(capacity: section.byteCount)
            section.write(rows, to: copy.memory)
            copy.count = section.byteCount
            buffer.append(copy.bytes)
        }
        return buffer
    }

    private final class Source: TensorSource {
        private let query: Query
        private var tensors: [String: EncodedTensor] = [:]
        let names: [String]

        init(_ message: Message) throws(ServiceError) {
            query = message.query
            let text = String(decoding: message.body.bytes.prefix(1000), as: UTF8.self)
            guard let end = text.range(of: "\n\n") else {
                throw .invalidQuery(reason: "the body has no header")
            }
            var offset = text.utf8.distance(from: text.startIndex, to: end)
            for line in text[..<end].split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count > 2, let dtype = DType(rawValue: String(words[1])) else {
                    throw .invalidQuery(reason: "a line must be: name dtype axes")
                }
                let shape = words.dropFirst(2).compactMap { Int($0) }
                let byteCount = shape.reduce(dtype.byteCount, *)
                guard byteCount >= 0 && byteCount <= message.body.count - offset - 2 else {
                    throw .wrongBodyLength(expected: "all of \(words[0])", found: byteCount)
                }
                tensors[String(words[0])] = EncodedTensor(
                    dtype: dtype, shape: shape, message.body, byteOffset: offset + 2)
                offset += byteCount
            }
            names = query.items.map { $0.name } + tensors.keys.sorted()
        }

        func parameter(_ spec: ParameterSpec, rowCount: Int) throws(ServiceError) -> RawValue? {
            let item = query.items.first { $0.name == spec.name }
            return item.map { RawValue(queryText: $0.value, for: spec.kind) }
        }

        func hasInput(_ name: String) -> Bool { tensors[name] != nil }

        func tensor(_ question: TensorQuestion) throws(ServiceError) -> EncodedTensor? {
            tensors[question.spec.name]
        }
    }
}

extension String {
    /// The first place of a short text.
    fileprivate func range(of text: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}
