import Inference
import Operators

/// The sections of a raw answer, in their order: the answer's, those of outputs that have no
/// format, then those of each group that shares its columns.
struct OctetStreamSections {
    struct Section {
        let name: String
        /// NumPy's name of the numbers' type.
        let dtype: String
        let count: Int
        let byteCount: Int
        /// Writes `byteCount` bytes.
        let write: (UnsafeMutableRawPointer) -> Void
    }

    private(set) var all: [Section] = []
    private let layout: AnswerLayout
    private let width: Int

    init(_ result: InferenceResult) {
        layout = result.request.layout
        width = layout.format == .padded ? result.width : 0
        append([("data", result.answer)], prefix: "")
        for (spec, rows) in result.plainOutputs {
            switch spec.shape {
            case .perRow: append(spec, rows)
            case .indices: appendColumns(rows, prefix: spec.name + ".")
            default: appendAll(spec.name, rows)
            }
        }
        for group in result.groups { append(group.members, prefix: group.name + ".") }
    }

    /// Arrays that share their columns.
    private mutating func append(_ arrays: [(name: String, rows: ResultRows)], prefix: String) {
        let first = arrays[0].rows
        switch layout.format {
        case .csr:
            appendColumns(first, prefix: prefix)
        case .padded:
            let width = width
            appendIndices(prefix + "indices", first.rowCount * width) { sink in
                first.forEachRow { rows, row in
                    let entries = rows.entries(row..<row + 1)
                    sink.store(rows, entries)
                    for _ in entries.count..<width { sink.store(first.rowLength) }
                }
            }
        case .dense:
            break
        }
        for (name, rows) in arrays { appendValues(prefix + name, rows) }
    }

    private mutating func appendColumns(_ rows: ResultRows, prefix: String) {
        appendIndices(prefix + "indptr", rows.rowCount + 1) { Self.writeOffsets(rows, &$0) }
        appendIndices(prefix + "indices", rows.storedCount) { sink in
            rows.forEachRun { rows, range in sink.store(rows, rows.entries(range)) }
        }
    }

    /// Rows that were stored with their zeros.
    private mutating func appendAll(_ name: String, _ rows: ResultRows) {
        let bytes = rows.dtype.byteCount
        let count = rows.storedCount
        all.append(
            Section(name: name, dtype: rows.dtype.rawValue, count: count, byteCount: count * bytes)
            {
                memory in
                var start = memory
                rows.forEachRun { rows, range in
                    let entries = rows.entries(range)
                    rows.copy(entries, to: start)
                    start += entries.count * bytes
                }
            })
    }

    private mutating func appendIndices(
        _ name: String, _ count: Int, _ body: @escaping (inout IndexSink) -> Void
    ) {
        let dtype = layout.indexDType
        all.append(
            Section(
                name: name, dtype: dtype.rawValue, count: count,
                byteCount: count * dtype.byteCount
            ) { memory in
                var sink = IndexSink(memory, dtype)
                body(&sink)
            })
    }

    private static func writeOffsets(_ rows: ResultRows, _ sink: inout IndexSink) {
        var total = 0
        sink.store(0)
        rows.forEachRow { rows, row in
            total += rows.indptr[row + 1] - rows.indptr[row]
            sink.store(total)
        }
    }

    private mutating func appendValues(_ name: String, _ rows: ResultRows) {
        let bytes = rows.dtype.byteCount
        let stride = layout.format == .dense ? rows.rowLength : width
        let count = layout.format == .csr ? rows.storedCount : rows.rowCount * stride
        let isSparse = layout.format == .csr
        let isDense = layout.format == .dense
        all.append(
            Section(name: name, dtype: rows.dtype.rawValue, count: count, byteCount: count * bytes)
            {
                memory in
                if !isSparse {
                    memory.initializeMemory(as: UInt8.self, repeating: 0, count: count * bytes)
                }
                var start = memory
                if isSparse {
                    rows.forEachRun { rows, range in
                        let entries = rows.entries(range)
                        rows.copy(entries, to: start)
                        start += entries.count * bytes
                    }
                    return
                }
                rows.forEachRow { rows, row in
                    if isDense {
                        rows.scatter(row, to: start)
                    } else {
                        rows.copy(rows.entries(row..<row + 1), to: start)
                    }
                    start += stride * bytes
                }
            })
    }

    /// One number a row.
    private mutating func append(_ spec: TensorSpec, _ rows: ResultRows) {
        let count = rows.rowCount
        let (dtype, bytes) =
            switch spec.type {
            case .answer, .float64: (rows.dtype.rawValue, rows.dtype.byteCount)
            case .int64: ("int64", 8)
            case .bool: ("bool", 1)
            }
        all.append(
            Section(name: spec.name, dtype: dtype, count: count, byteCount: count * bytes) {
                memory in
                var index = 0
                rows.forEachRow { rows, row in
                    guard let base = rows.data.baseAddress else { return }
                    let value = rows.dtype.load(base, at: row)
                    switch spec.type {
                    case .answer, .float64: rows.dtype.store(value, memory, at: index)
                    case .int64:
                        memory.storeBytes(of: Int64(value), toByteOffset: 8 * index, as: Int64.self)
                    case .bool:
                        memory.storeBytes(of: value != 0, toByteOffset: index, as: Bool.self)
                    }
                    index += 1
                }
            })
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

    mutating func store(_ rows: SparseRows, _ entries: Range<Int>) {
        guard !entries.isEmpty, let base = rows.indices.baseAddress else { return }
        switch dtype {
        case .int32:
            memory.copyMemory(from: base + entries.lowerBound, byteCount: entries.count * 4)
            memory += entries.count * 4
        case .int64:
            for entry in entries { store(Int(base[entry])) }
        }
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
