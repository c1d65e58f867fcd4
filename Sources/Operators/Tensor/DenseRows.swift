/// A dense batch: `rowCount` rows of `rowLength` numbers, row-major and contiguous, [B, n].
///
/// A class: each copy of a struct would count references of all that is in it.
package final class DenseRows: Sendable {
    package let dtype: DType
    package let rowCount: Int
    package let rowLength: Int
    private let buffer: RawBuffer
    /// Where it begins in its storage.
    package let byteOffset: Int
    /// Whether somebody has looked at all of them already, and found neither NaN nor infinity.
    let isKnownFinite: Bool
    /// What has been found of them already.
    let early: EarlyMaxima?

    /// A view of `rowCount * rowLength` elements that start `byteOffset` bytes into `buffer`.
    ///
    /// The caller has checked the sizes: a view that leaves the buffer is a programmer error.
    package init(
        _ buffer: RawBuffer, byteOffset: Int = 0, dtype: DType, rowCount: Int, rowLength: Int,
        isKnownFinite: Bool = false, early: EarlyMaxima? = nil
    ) {
        let byteCount = rowCount * rowLength * dtype.byteCount
        precondition(byteOffset % dtype.byteCount == 0)
        precondition(byteOffset >= 0 && byteOffset + byteCount <= buffer.capacity)
        self.buffer = buffer
        self.byteOffset = byteOffset
        self.dtype = dtype
        self.rowCount = rowCount
        self.rowLength = rowLength
        self.isKnownFinite = isKnownFinite
        self.early = early
    }

    /// No rows, for what takes no x.
    package static let none = DenseRows(
        RawBuffer(capacity: 0), dtype: .float32, rowCount: 0, rowLength: 0)

    /// What it is a view of: several may share it.
    package var storage: RawBuffer { buffer }

    package var storageBytes: Int { buffer.capacity }

    /// Bytes, beside the storage, of what was found of them while they arrived.
    package var earlyBytes: Int { early?.capacity ?? 0 }

    /// Frees what was found of them while they arrived: every row has been computed.
    package func releaseEarly() { early?.release() }

    package var byteCount: Int { rowCount * rowLength * dtype.byteCount }

    package var shape: BatchShape { BatchShape(rowCount: rowCount, rowLength: rowLength) }

    /// Copies `rows` into a batch of their own; for tests and tools.
    package convenience init<Scalar: BinaryFloatingPoint>(_ rows: [[Scalar]], dtype: DType) {
        let n = rows.first?.count ?? 0
        let buffer = RawBuffer(capacity: rows.count * n * dtype.byteCount)
        for (r, row) in rows.enumerated() {
            precondition(row.count == n)
            for (i, value) in row.enumerated() {
                dtype.store(Double(value), buffer.memory, at: r * n + i)
            }
        }
        self.init(buffer, dtype: dtype, rowCount: rows.count, rowLength: n)
    }

    /// The first byte of row `row`.
    @inline(__always)
    func start(_ row: Int) -> UnsafeRawPointer {
        precondition(row >= 0 && row < rowCount)
        return UnsafeRawPointer(buffer.memory) + byteOffset + row * rowLength * dtype.byteCount
    }

    /// Consecutive rows as the type that they are computed in: where they lie if they can be read
    /// there, else in `scratch`.
    @inline(__always)
    func rows<S: KernelScalar>(
        _ rows: Range<Int>, as type: S.Type, negated: Bool, _ scratch: inout Scratch<Double>
    ) -> UnsafePointer<S> {
        precondition(rows.upperBound <= rowCount)
        let memory = start(rows.lowerBound)
        if !negated && S.isStored(as: dtype) { return memory.assumingMemoryBound(to: S.self) }
        let count = rows.count * rowLength
        let copy = UnsafeMutableRawPointer(scratch.reserve(count)).assumingMemoryBound(to: S.self)
        S.load(memory, dtype, count: count, negated: negated, into: copy)
        return UnsafePointer(copy)
    }

    /// Entry `column` of row `row`.
    @inline(__always)
    package func value(_ row: Int, _ column: Int) -> Double {
        precondition(column >= 0 && column < rowLength)
        return dtype.load(start(row), at: column)
    }

    /// Entries `columns[0..<count]` of row `row`, or of those that follow it.
    func gather(
        _ row: Int, _ columns: UnsafePointer<Int32>, count: Int,
        into out: UnsafeMutablePointer<Double>
    ) {
        let memory = start(row)
        switch dtype {
        case .float32:
            let values = memory.assumingMemoryBound(to: Float.self)
            for i in 0..<count { out[i] = Double(values[Int(columns[i])]) }
        default:
            for i in 0..<count { out[i] = dtype.load(memory, at: Int(columns[i])) }
        }
    }

    /// Whether all numbers of some rows are finite.
    package func isFinite(_ rows: Range<Int>) -> Bool {
        precondition(rows.upperBound <= rowCount)
        guard !isKnownFinite && !rows.isEmpty else { return true }
        return dtype.areFinite(start(rows.lowerBound), count: rows.count * rowLength)
    }
}

/// G cotangents (or tangents) for a batch of B rows: [G, B, n], held as G*B rows. A class, too.
package final class StackedRows: Sendable {
    package let rows: DenseRows
    /// G, at least 1.
    package let stackCount: Int

    package init(_ rows: DenseRows, stackCount: Int) {
        precondition(stackCount >= 1 && rows.rowCount % stackCount == 0)
        self.rows = rows
        self.stackCount = stackCount
    }

    /// The row of cotangent `g` that belongs to batch row `row`.
    func rowIndex(_ g: Int, _ row: Int) -> Int { g * (rows.rowCount / stackCount) + row }
}
