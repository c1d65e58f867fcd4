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
        guard let base = rows.data.baseAddress else { return }
        switch rows.dtype {
        case .float32:
            let values = base.assumingMemoryBound(to: Float.self) + entries.lowerBound
            advance(CTextFloats_print_floats(values, entries.count, end))
        case .float64:
            let values = base.assumingMemoryBound(to: Double.self) + entries.lowerBound
            advance(CTextFloats_print_doubles(values, entries.count, end))
        }
    }

    /// One row with its zeros.
    mutating func appendDenseRow(_ rows: SparseRows, _ row: Int) {
        append("[")
        var column = 0
        for entry in rows.indptr[row]..<rows.indptr[row + 1] {
            let target = Int(rows.indices[entry])
            appendZeros(target - column)
            printValues(rows, entry..<entry + 1)
            column = target + 1
            if column < rows.rowLength { append(",") }
        }
        appendZeros(rows.rowLength - column)
        // The last zero's comma, where the row ends in zeros.
        if column < rows.rowLength { buffer.count -= 1 }
        append("]")
    }

    /// "0," as often as asked.
    private func appendZeros(_ count: Int) {
        let start = end
        for i in 0..<max(count, 0) {
            start[2 * i] = CChar(UInt8(ascii: "0"))
            start[2 * i + 1] = CChar(UInt8(ascii: ","))
        }
        advance(2 * max(count, 0))
    }
}
