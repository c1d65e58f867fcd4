import CTextFloats
import Execution
import Operators

/// Documents as JSON.
enum JSONDocument {
    /// One line of text; numbers by shortest round-trip. O(document).
    static func encode(_ document: Document, _ pool: BufferPool) throws(ServiceError) -> RawBuffer {
        let buffer = try pool.takeForAnswer(byteCount: bound(document) + 1, beside: 0)
        var text = JSONWriter(buffer)
        append(document, to: &text)
        text.append("\n")
        return buffer
    }

    /// Room for the longest text that it can become.
    private static func bound(_ document: Document) -> Int {
        switch document {
        case .null, .boolean: 5
        case .number: Int(CTextFloats_double_bytes)
        // A control character becomes six.
        case .text(let text): 2 + 6 * text.utf8.count
        case .list(let elements): elements.reduce(2) { $0 + 1 + bound($1) }
        case .numbers(let values): 2 + values.count * Int(CTextFloats_double_bytes)
        case .object(let members):
            members.reduce(2) { $0 + 4 + 6 * $1.name.utf8.count + bound($1.value) }
        }
    }

    private static func append(_ document: Document, to text: inout JSONWriter) {
        switch document {
        case .null: text.append("null")
        case .boolean(let value): text.append(value ? "true" : "false")
        case .number(let value): text.append([value])
        case .text(let value): appendQuoted(value, to: &text)
        case .numbers(let values):
            text.append("[")
            text.append(values)
            text.append("]")
        case .list(let elements):
            text.append("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(",") }
                append(element, to: &text)
            }
            text.append("]")
        case .object(let members):
            text.append("{")
            for (index, member) in members.enumerated() {
                if index > 0 { text.append(",") }
                appendQuoted(member.name, to: &text)
                text.append(":")
                append(member.value, to: &text)
            }
            text.append("}")
        }
    }

    private static func appendQuoted(_ value: String, to text: inout JSONWriter) {
        var quoted = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 32:
                quoted += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        text.append(quoted + "\"")
    }
}

/// Puts a document together from simdjson's events.
final class JSONDocumentBuilder {
    /// Lists and objects that are not closed yet, the innermost last.
    private var open: [Level] = []
    private(set) var result = Document.null
    /// Values that are not numbers in lists of numbers: each takes some memory.
    private(set) var nodeCount = 0

    private enum Level {
        case numbers([Double])
        case list([Document])
        case object([Document.Member], name: String)
    }

    /// False where the document has more values than are taken.
    func event(_ event: CTextFloats_Event) -> Bool {
        switch event.kind {
        case CTextFloats_list_begin: open.append(.numbers([]))
        case CTextFloats_object_begin: open.append(.object([], name: ""))
        case CTextFloats_list_end, CTextFloats_object_end: close()
        case CTextFloats_member: rename(text(event))
        case CTextFloats_value_number: add(number: event.number)
        case CTextFloats_value_text: add(.text(text(event)))
        case CTextFloats_value_boolean: add(.boolean(event.number != 0))
        default: add(.null)
        }
        return nodeCount <= Limits.documentValuesMax
    }

    private func text(_ event: CTextFloats_Event) -> String {
        let bytes = UnsafeRawBufferPointer(
            start: event.text, count: event.text == nil ? 0 : event.text_length)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func rename(_ name: String) {
        guard case .object(let members, _)? = open.popLast() else { return }
        open.append(.object(members, name: name))
    }

    private func add(number: Double) {
        if case .numbers(var values)? = open.last {
            // Taken out first, so that the array is not copied.
            open.removeLast()
            values.append(number)
            open.append(.numbers(values))
        } else {
            add(.number(number))
        }
    }

    private func add(_ value: Document) {
        nodeCount += 1
        switch open.popLast() {
        case .numbers(let values)?: open.append(.list(values.map { .number($0) } + [value]))
        case .list(var elements)?:
            elements.append(value)
            open.append(.list(elements))
        case .object(var members, let name)?:
            members.append(.init(name, value))
            open.append(.object(members, name: name))
        case nil: result = value
        }
    }

    private func close() {
        switch open.popLast() {
        case .numbers(let values)?: add(.numbers(values))
        case .list(let elements)?: add(.list(elements))
        case .object(let members, _)?: add(.object(members))
        case nil: break
        }
    }
}
