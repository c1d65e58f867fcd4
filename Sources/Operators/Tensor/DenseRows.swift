/// A dense batch: `rowCount` rows of `rowLength` numbers, row-major and contiguous, [B, n].
package struct DenseRows: Sendable {
    package let dtype: DType
    package let rowCount: Int
    package let rowLength: Int
    private let buffer: RawBuffer
    private let byteOffset: Int

    /// A view of `rowCount * rowLength` elements that start `byteOffset` bytes into `buffer`.
    ///
    /// The caller has checked the sizes: a view that leaves the buffer is a programmer error.
    package init(
        _ buffer: RawBuffer, byteOffset: Int = 0, dtype: DType, rowCount: Int, rowLength: Int
    ) {
        let byteCount = rowCount * rowLength * dtype.byteCount
        precondition(byteOffset % dtype.byteCount == 0)
        precondition(byteOffset >= 0 && byteOffset + byteCount <= buffer.capacity)
        self.buffer = buffer
        self.byteOffset = byteOffset
        self.dtype = dtype
        self.rowCount = rowCount
        self.rowLength = rowLength
    }

    /// Copies `rows` into a batch of their own; for tests and tools.
    package init<Scalar: BinaryFloatingPoint>(_ rows: [[Scalar]], dtype: DType) {
        let n = rows.first?.count ?? 0
        let buffer = RawBuffer(capacity: rows.count * n * dtype.byteCount)
        for (r, row) in rows.enumerated() {
            precondition(row.count == n)
            for (i, value) in row.enumerated() {
                let offset = (r * n + i) * dtype.byteCount
                switch dtype {
                case .float32:
                    buffer.memory.storeBytes(of: Float(value), toByteOffset: offset, as: Float.self)
                case .float64:
                    buffer.memory.storeBytes(
                        of: Double(value), toByteOffset: offset, as: Double.self)
                }
            }
        }
        self.init(buffer, dtype: dtype, rowCount: rows.count, rowLength: n)
    }

    /// Row `row` as `Scalar`, which is the type that `dtype` names.
    @inline(__always)
    func row<Scalar: KernelScalar>(_ row: Int, as type: Scalar.Type) -> UnsafeBufferPointer<Scalar>
    {
        precondition(Scalar.dtype == dtype && row >= 0 && row < rowCount)
        let start = buffer.memory + byteOffset + row * rowLength * MemoryLayout<Scalar>.stride
        return UnsafeBufferPointer(
            start: UnsafePointer(start.assumingMemoryBound(to: Scalar.self)), count: rowLength)
    }
}

/// G cotangents (or tangents) for a batch of B rows: [G, B, n], held as G*B rows.
package struct StackedRows: Sendable {
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
