import Execution
import Operators

/// The named arrays that an answer consists of, in their order: the answer's, those of outputs that
/// have no format, then those of each group that shares its columns.
///
/// They are handed out one after the other, as often as asked, and not kept. Each comes with the
/// numbers that it is written from, and with its name: the group that it belongs to and a point,
/// and its own.
package struct AnswerSections {
    package typealias Body = (AnswerSection, ResultRows, _ prefix: String, _ name: String) -> Void

    private let layout: AnswerLayout
    private let width: Int

    package init(_ result: borrowing InvocationResult) {
        layout = result.layout
        width = layout.format == .padded ? result.width : 0
    }

    package func forEach(_ result: borrowing InvocationResult, _ body: Body) {
        columns(of: result.answer, prefix: "", body)
        body(values(result.answer), result.answer, "", "data")
        guard !result.further.isEmpty else { return }
        for (spec, rows) in result.plainOutputs {
            switch spec.shape {
            case .perRow: body(numbers(spec, rows), rows, "", spec.name)
            case .indices: lists(rows, prefix: spec.name + ".", body)
            default:
                // Rows that were stored with their zeros.
                body(section(rows.dtype, rows.storedCount, .values), rows, "", spec.name)
            }
        }
        for group in result.groups {
            let prefix = group.name + "."
            columns(of: group.members[0].rows, prefix: prefix, body)
            for (name, rows) in group.members { body(values(rows), rows, prefix, name) }
        }
    }

    /// Where the numbers of arrays that share their columns belong, as far as the format says it.
    private func columns(of rows: ResultRows, prefix: String, _ body: Body) {
        switch layout.format {
        case .csr:
            lists(rows, prefix: prefix, body)
        case .padded:
            let content = AnswerSection.IndexContent.paddedIndices(width: width)
            body(indices(rows.rowCount * width, content), rows, prefix, "indices")
        case .dense:
            break
        }
    }

    private func lists(_ rows: ResultRows, prefix: String, _ body: Body) {
        body(indices(rows.rowCount + 1, .offsets), rows, prefix, "indptr")
        body(indices(rows.storedCount, .indices), rows, prefix, "indices")
    }

    private func indices(
        _ count: Int, _ content: AnswerSection.IndexContent
    ) -> AnswerSection {
        let dtype = layout.indexDType
        return AnswerSection(
            element: .index(dtype), count: count, byteCount: count * dtype.byteCount,
            content: .indices(content, dtype))
    }

    private func values(_ rows: ResultRows) -> AnswerSection {
        switch layout.format {
        case .csr: section(rows.dtype, rows.storedCount, .values)
        case .padded: section(rows.dtype, rows.rowCount * width, .paddedValues(width: width))
        case .dense: section(rows.dtype, rows.rowCount * rows.rowLength, .dense)
        }
    }

    /// One number a row.
    private func numbers(_ spec: TensorSpec, _ rows: ResultRows) -> AnswerSection {
        let (element, bytes): (AnswerSection.Element, Int) =
            switch spec.type {
            case .answer, .float64: (.number(rows.dtype), rows.dtype.byteCount)
            case .int64, .word: (.index(.int64), 8)
            case .bool: (.bool, 1)
            }
        return AnswerSection(
            element: element, count: rows.rowCount, byteCount: rows.rowCount * bytes,
            content: .perRow(spec.type))
    }

    private func section(
        _ dtype: DType, _ count: Int, _ content: AnswerSection.Content
    ) -> AnswerSection {
        AnswerSection(
            element: .number(dtype), count: count, byteCount: count * dtype.byteCount,
            content: content)
    }
}

/// One array of an answer, but for its name and its numbers.
package struct AnswerSection {
    package enum Element {
        case number(DType)
        case index(IndexDType)
        case bool

        /// NumPy's name.
        package var name: String {
            switch self {
            case .number(let dtype): dtype.rawValue
            case .index(let dtype): dtype.rawValue
            case .bool: "bool"
            }
        }
    }

    package let element: Element
    package let count: Int
    package let byteCount: Int
    fileprivate let content: Content

    fileprivate enum Content {
        case indices(IndexContent, IndexDType)
        /// Stored numbers, one after the other.
        case values
        /// The same, each row followed by zeros.
        case paddedValues(width: Int)
        case dense
        case perRow(TensorSpec.Element)
    }

    fileprivate enum IndexContent {
        /// indptr.
        case offsets
        case indices
        /// Each row is filled up with n, which is no column.
        case paddedIndices(width: Int)
    }

    /// Writes `byteCount` bytes.
    package func write(_ rows: ResultRows, to memory: UnsafeMutableRawPointer) {
        switch content {
        case .indices(let content, let dtype):
            var sink = IndexSink(memory, dtype)
            Self.write(rows, content, &sink)
        case .values:
            var start = memory
            rows.forEachRun { rows, range in
                let entries = rows.entries(range)
                rows.copy(entries, to: start)
                start += entries.count * rows.dtype.byteCount
            }
        case .paddedValues(let width):
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            var start = memory
            rows.forEachRow { rows, row in
                rows.copy(rows.entries(row..<row + 1), to: start)
                start += width * rows.dtype.byteCount
            }
        case .dense:
            var start = memory
            rows.forEachRow { rows, row in
                let bytes = rows.rowLength * rows.dtype.byteCount
                if rows.impliesColumns {
                    rows.copy(rows.entries(row..<row + 1), to: start)
                } else {
                    start.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
                    rows.scatter(row, to: start)
                }
                start += bytes
            }
        case .perRow(let type):
            Self.write(rows, type, memory)
        }
    }

    private static func write(
        _ rows: ResultRows, _ content: IndexContent, _ sink: inout IndexSink
    ) {
        switch content {
        case .offsets:
            var total = 0
            sink.store(0)
            rows.forEachRow { rows, row in
                total += rows.indptr[row + 1] - rows.indptr[row]
                sink.store(total)
            }
        case .indices:
            rows.forEachRun { rows, range in sink.store(rows, range) }
        case .paddedIndices(let width):
            rows.forEachRow { rows, row in
                let entries = rows.entries(row..<row + 1)
                sink.store(rows, row..<row + 1)
                for _ in entries.count..<width { sink.store(rows.rowLength) }
            }
        }
    }

    private static func write(
        _ rows: ResultRows, _ type: TensorSpec.Element, _ memory: UnsafeMutableRawPointer
    ) {
        var index = 0
        rows.forEachRow { rows, row in
            guard let base = rows.data.baseAddress else { return }
            let value = rows.dtype.load(base, at: row)
            switch type {
            case .answer, .float64: rows.dtype.store(value, memory, at: index)
            case .int64, .word:
                memory.storeBytes(of: Int64(value), toByteOffset: 8 * index, as: Int64.self)
            case .bool:
                memory.storeBytes(of: value != 0, toByteOffset: index, as: Bool.self)
            }
            index += 1
        }
    }
}

/// Writes indices one after the other.
struct IndexSink {
    private var memory: UnsafeMutableRawPointer
    private let dtype: IndexDType

    init(_ memory: UnsafeMutableRawPointer, _ dtype: IndexDType) {
        self.memory = memory
        self.dtype = dtype
    }

    mutating func store(_ value: Int) {
        switch dtype {
        case .int32: memory.storeBytes(of: Int32(value), as: Int32.self)
        case .int64: memory.storeBytes(of: Int64(value), as: Int64.self)
        }
        memory += dtype.byteCount
    }

    /// The columns of some rows.
    mutating func store(_ rows: SparseRows, _ range: Range<Int>) {
        if rows.impliesColumns {
            for _ in range { storeAll(rows.rowLength) }
            return
        }
        let entries = rows.entries(range)
        guard !entries.isEmpty, let base = rows.indices.baseAddress else { return }
        switch dtype {
        case .int32:
            memory.copyMemory(from: base + entries.lowerBound, byteCount: entries.count * 4)
            memory += entries.count * 4
        case .int64:
            for entry in entries { store(Int(base[entry])) }
        }
    }

    /// 0 to n - 1.
    private mutating func storeAll(_ n: Int) {
        switch dtype {
        case .int32: storeAll(n, Int32.self)
        case .int64: storeAll(n, Int64.self)
        }
    }

    private mutating func storeAll<Index: FixedWidthInteger>(_ n: Int, _ type: Index.Type) {
        for column in 0..<n {
            memory.storeBytes(
                of: Index(truncatingIfNeeded: column),
                toByteOffset: column * MemoryLayout<Index>.size, as: type)
        }
        memory += n * MemoryLayout<Index>.size
    }
}

extension SparseRows {
    /// Some entries' values, one after the other.
    fileprivate func copy(_ entries: Range<Int>, to start: UnsafeMutableRawPointer) {
        guard !entries.isEmpty, let base = data.baseAddress else { return }
        let bytes = dtype.byteCount
        start.copyMemory(from: base + entries.lowerBound * bytes, byteCount: entries.count * bytes)
    }

    /// One row's values to their columns; the rest of the row stays as it is.
    fileprivate func scatter(_ row: Int, to start: UnsafeMutableRawPointer) {
        switch dtype.byteCount {
        case 2: scatter(row, to: start, UInt16.self)
        case 4: scatter(row, to: start, UInt32.self)
        default: scatter(row, to: start, UInt64.self)
        }
    }

    @inline(__always)
    private func scatter<Bits: BitwiseCopyable>(
        _ row: Int, to start: UnsafeMutableRawPointer, _ type: Bits.Type
    ) {
        let size = MemoryLayout<Bits>.size
        for entry in entries(row..<row + 1) {
            let bits = data.load(fromByteOffset: size * entry, as: type)
            start.storeBytes(of: bits, toByteOffset: size * Int(indices[entry]), as: type)
        }
    }
}
