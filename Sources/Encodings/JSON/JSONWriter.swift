import CTextFloats
import Operators

/// Appends text to a buffer whose size its owner has bounded beforehand.
struct JSONWriter {
    private let buffer: RawBuffer

    init(_ buffer: RawBuffer) { self.buffer = buffer }

    private var end: UnsafeMutablePointer<CChar> {
        (buffer.memory + buffer.count).assumingMemoryBound(to: CChar.self)
    }

    private func advance(_ count: Int) {
        buffer.count += count
        precondition(buffer.count <= buffer.capacity, "the bound of an answer was too small")
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { buffer.append(UnsafeRawBufferPointer($0)) }
    }

    mutating func append(_ number: Int) { append(String(number)) }

    /// Numbers with commas between.
    mutating func append(_ numbers: [Double]) {
        numbers.withUnsafeBufferPointer {
            advance(CTextFloats_print_doubles($0.baseAddress, $0.count, end))
        }
    }

    /// The column indices of some entries.
    mutating func appendIndices(_ rows: SparseRows, _ entries: Range<Int>, isFirst: inout Bool) {
        guard !entries.isEmpty, let base = rows.indices.baseAddress else { return }
        if !isFirst { append(",") }
        isFirst = false
        advance(CTextFloats_print_integers(base + entries.lowerBound, entries.count, end))
    }

    /// The values of some entries.
    mutating func appendValues(_ rows: SparseRows, _ entries: Range<Int>, isFirst: inout Bool) {
        guard !entries.isEmpty else { return }
        if !isFirst { append(",") }
        isFirst = false
        printValues(rows, entries)
    }

    private func printValues(_ rows: SparseRows, _ entries: Range<Int>) {
        guard !entries.isEmpty, let base = rows.data.baseAddress else { return }
        switch rows.dtype {
        case .float32:
            let values = base.assumingMemoryBound(to: Float.self) + entries.lowerBound
            advance(CTextFloats_print_floats(values, entries.count, end))
        case .float64:
            let values = base.assumingMemoryBound(to: Double.self) + entries.lowerBound
            advance(CTextFloats_print_doubles(values, entries.count, end))
        case .float16, .bfloat16:
            // As the float32 of the same value.
            for entry in entries {
                if entry > entries.lowerBound { appendRepeated(",", 1) }
                var value = Float(rows.dtype.load(base, at: entry))
                advance(CTextFloats_print_floats(&value, 1, end))
            }
        }
    }

    /// The only number of a row.
    mutating func appendNumber(_ rows: SparseRows, _ row: Int, _ type: TensorSpec.Element) {
        guard let base = rows.data.baseAddress else { return }
        let value = rows.dtype.load(base, at: row)
        switch type {
        case .answer, .float64: printValues(rows, row..<row + 1)
        case .int64: append(Int(value))
        case .word(let words): append("\"\(words[Int(value)])\"")
        case .bool: append(value != 0 ? "true" : "false")
        }
    }

    /// The columns of one row.
    mutating func appendColumns(_ rows: SparseRows, _ row: Int) {
        append("[")
        var isFirst = true
        appendIndices(rows, rows.entries(row..<row + 1), isFirst: &isFirst)
        append("]")
    }

    /// A row that was stored with its zeros.
    mutating func appendAllValues(_ rows: SparseRows, _ row: Int) {
        append("[")
        printValues(rows, rows.entries(row..<row + 1))
        append("]")
    }

    /// One row with its zeros.
    mutating func appendDenseRow(_ rows: SparseRows, _ row: Int) {
        append("[")
        var column = 0
        for entry in rows.entries(row..<row + 1) {
            let target = Int(rows.indices[entry])
            appendRepeated("0,", target - column)
            printValues(rows, entry..<entry + 1)
            column = target + 1
            if column < rows.rowLength { append(",") }
        }
        appendRepeated("0,", rows.rowLength - column)
        // The last zero's comma, where the row ends in zeros.
        if column < rows.rowLength { buffer.count -= 1 }
        append("]")
    }

    /// One row's values, then zeros up to `width`.
    mutating func appendPaddedRow(_ rows: SparseRows, _ row: Int, width: Int) {
        let entries = rows.entries(row..<row + 1)
        append("[")
        printValues(rows, entries)
        let pads = width - entries.count
        if pads > 0 { append(entries.isEmpty ? "0" : ",0") }
        appendRepeated(",0", pads - 1)
        append("]")
    }

    /// One row's columns, then n up to `width`.
    mutating func appendPaddedColumns(_ rows: SparseRows, _ row: Int, width: Int) {
        let entries = rows.entries(row..<row + 1)
        append("[")
        var isFirst = true
        appendIndices(rows, entries, isFirst: &isFirst)
        let pads = width - entries.count
        if pads > 0 { append(entries.isEmpty ? "\(rows.rowLength)" : ",\(rows.rowLength)") }
        appendRepeated(",\(rows.rowLength)", pads - 1)
        append("]")
    }

    /// `text` as often as asked, perhaps never.
    private func appendRepeated(_ text: String, _ times: Int) {
        guard times > 0 else { return }
        var text = text
        text.withUTF8 { bytes in
            let source = UnsafeRawBufferPointer(bytes)
            for _ in 0..<times { buffer.append(source) }
        }
    }
}
