import CTextFloats
import Execution
import Operators

/// Writes an answer as JSON, numbers by shortest round-trip, into one recycled buffer.
enum JSONAnswer {
    static func encode(_ result: borrowing InvocationResult, _ pool: BufferPool)
        throws(ServiceError)
        -> RawBuffer
    {
        let form = result.form
        let buffer = try pool.takeForAnswer(
            byteCount: byteBound(result), beside: result.heldBytes)
        var text = JSONWriter(buffer)
        text.append("{\"operator\":\"\(form.procedure.operatorName)\"")
        text.append(",\"format\":\"\(form.layout.format.rawValue)\",\"shape\":[")
        text.append(form.shapeText)
        text.append("],\"dtype\":\"\(form.dtype.rawValue)\"")
        if form.layout.format == .padded { text.append(",\"width\":\(result.width)") }
        append(result, [("data", result.answer)], to: &text)
        for output in result.plainOutputs {
            text.append(",\"\(output.spec.name)\":")
            appendNested(result, output.rows, to: &text) { rows, row, text in
                switch output.spec.shape {
                case .perRow: text.appendNumber(rows, row, output.spec.type)
                case .indices: text.appendColumns(rows, row)
                default: text.appendAllValues(rows, row)
                }
            }
        }
        for group in result.groups {
            text.append(",\"\(group.name)\":{")
            append(result, group.members, isFirst: true, to: &text)
            text.append("}")
        }
        text.append("}\n")
        return buffer
    }

    /// Room for the longest text that the answer can become.
    private static func byteBound(_ result: borrowing InvocationResult) -> Int {
        let numberBytes = Int(CTextFloats_double_bytes)
        var bound = 1024 + columnBytes(result, result.answer) + valueBytes(result, result.answer)
        for output in result.plainOutputs {
            var itemBytes = numberBytes
            if case .word(let words) = output.spec.type {
                itemBytes += words.reduce(0) { max($0, $1.utf8.count) }
            }
            bound += 64 + output.rows.storedCount * itemBytes
            bound += output.rows.rowCount * bracketBytes
        }
        for group in result.groups {
            bound += 64 + columnBytes(result, group.members[0].rows)
            for member in group.members { bound += 64 + valueBytes(result, member.rows) }
        }
        return bound
    }

    /// A row's share of nested brackets and commas: two for each of four axes at most, and one.
    private static let bracketBytes = 12

    private static func columnBytes(_ result: borrowing InvocationResult, _ rows: ResultRows) -> Int
    {
        let indexBytes = Int(CTextFloats_integer_bytes)
        switch result.layout.format {
        case .csr: return 21 * (rows.rowCount + 1) + rows.storedCount * indexBytes
        case .dense: return 0
        case .padded: return rows.rowCount * (bracketBytes + result.width * indexBytes)
        }
    }

    private static func valueBytes(_ result: borrowing InvocationResult, _ rows: ResultRows) -> Int
    {
        let zeros =
            switch result.layout.format {
            case .csr: 0
            case .dense: rows.rowCount * (bracketBytes + 2 * rows.rowLength)
            case .padded: rows.rowCount * (bracketBytes + 2 * result.width)
            }
        return zeros + rows.storedCount * Int(CTextFloats_double_bytes)
    }

    /// Arrays that share their columns, in the request's format: the columns once, then each.
    private static func append(
        _ result: borrowing InvocationResult, _ arrays: [(name: String, rows: ResultRows)],
        isFirst: Bool = false, to text: inout JSONWriter
    ) {
        var separator = isFirst ? "" : ","
        let format = result.layout.format
        if format == .csr { appendColumns(arrays[0].rows, separator, to: &text) }
        if format == .padded {
            text.append("\(separator)\"indices\":")
            appendNested(result, arrays[0].rows, to: &text) { rows, row, text in
                text.appendPaddedColumns(rows, row, width: result.width)
            }
        }
        if format != .dense { separator = "," }
        for (name, rows) in arrays {
            text.append("\(separator)\"\(name)\":")
            separator = ","
            switch format {
            case .csr:
                text.append("[")
                var isFirst = true
                rows.forEachRun { rows, range in
                    text.appendValues(rows, rows.entries(range), isFirst: &isFirst)
                }
                text.append("]")
            case .dense:
                appendNested(result, rows, to: &text) { rows, row, text in
                    text.appendDenseRow(rows, row)
                }
            case .padded:
                appendNested(result, rows, to: &text) { rows, row, text in
                    text.appendPaddedRow(rows, row, width: result.width)
                }
            }
        }
    }

    /// indptr and indices of CSR.
    private static func appendColumns(
        _ rows: ResultRows, _ separator: String, to text: inout JSONWriter
    ) {
        text.append("\(separator)\"indptr\":[0")
        var total = 0
        rows.forEachRow { rows, row in
            total += rows.indptr[row + 1] - rows.indptr[row]
            text.append(",")
            text.append(total)
        }
        text.append("],\"indices\":[")
        var isFirst = true
        rows.forEachRun { rows, range in
            text.appendIndices(rows, rows.entries(range), isFirst: &isFirst)
        }
        text.append("]")
    }

    /// What `body` writes for each row, nested in the answer's shape without its last axis.
    private static func appendNested(
        _ result: borrowing InvocationResult, _ rows: ResultRows, to text: inout JSONWriter,
        _ body: (SparseRows, Int, inout JSONWriter) -> Void
    ) {
        // Rows of the last axis in each enclosing axis, innermost first: where brackets close.
        var periods: [Int] = []
        for length in result.form.shape.dropLast().reversed() {
            periods.append((periods.last ?? 1) * length)
        }
        var count = 0
        rows.forEachRow { rows, row in
            if count > 0 { text.append(",") }
            for period in periods where count % period == 0 { text.append("[") }
            body(rows, row, &text)
            count += 1
            for period in periods where count % period == 0 { text.append("]") }
        }
    }
}

extension SparseRows {
    /// The entries of some rows.
    func entries(_ rows: Range<Int>) -> Range<Int> {
        indptr[rows.lowerBound]..<indptr[rows.upperBound]
    }
}
