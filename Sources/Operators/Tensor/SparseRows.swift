/// Rows of sparse numbers in CSR form (SciPy's names): row r holds `data[indptr[r]..<indptr[r +
/// 1]]` at the columns `indices` of the same range.
///
/// Invariant: within a row indices ascend and are distinct, and no stored value is zero.
/// A buffer is reused through `reset`; one thread writes, then others read.
package final class SparseRows: @unchecked Sendable {
    package private(set) var dtype: DType = .float32
    /// Columns of a row (the last axis of the answer).
    package private(set) var rowLength = 0
    /// `rowCount + 1` offsets into `indices` and `data`; the first is 0.
    package private(set) var indptr: [Int] = [0]
    private var indexBuffer = RawBuffer(capacity: 0)
    private var dataBuffer = RawBuffer(capacity: 0)

    /// Whether a NaN or an infinity was ever appended since `reset`: an invariant that failed.
    package private(set) var hasNonFinite = false

    package init() {}

    package var rowCount: Int { indptr.count - 1 }
    /// Stored numbers (nnz).
    package var count: Int { indptr[indptr.count - 1] }

    /// `count` column indices.
    package var indices: UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(
            start: UnsafePointer(indexBuffer.memory.assumingMemoryBound(to: Int32.self)),
            count: count)
    }

    /// `count` values of `dtype`, native (little-endian) order.
    package var data: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: dataBuffer.memory, count: count * dtype.byteCount)
    }

    /// Memory held, for deciding whether it is worth keeping.
    package var capacityBytes: Int { indexBuffer.capacity + dataBuffer.capacity }

    /// Forgets the rows and keeps the memory.
    package func reset(dtype: DType, rowLength: Int, rowCapacity: Int) {
        self.dtype = dtype
        self.rowLength = rowLength
        hasNonFinite = false
        indptr.removeAll(keepingCapacity: true)
        indptr.reserveCapacity(rowCapacity + 1)
        indptr.append(0)
    }

    /// Appends one row. `fill` gets room for `maximum` entries, writes ascending columns with their
    /// values and returns how many; zeros are dropped here, so that no operator has to.
    @inline(__always)
    func appendRow<Scalar: KernelScalar>(
        _ type: Scalar.Type, maximum: Int,
        _ fill: (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Scalar>) -> Int
    ) {
        precondition(Scalar.dtype == dtype)
        let start = count
        reserve(start + maximum)
        let indices = indexBuffer.memory.assumingMemoryBound(to: Int32.self) + start
        let values = dataBuffer.memory.assumingMemoryBound(to: Scalar.self) + start
        let written = fill(indices, values)
        precondition(written <= maximum)
        var kept = 0
        var check = Scalar.zero
        for i in 0..<written where values[i] != 0 {
            check += values[i] * 0
            indices[kept] = indices[i]
            values[kept] = values[i]
            kept += 1
        }
        assert((1..<max(kept, 1)).allSatisfy { indices[$0 - 1] < indices[$0] })
        if check != 0 { hasNonFinite = true }
        indptr.append(start + kept)
    }

    private func reserve(_ needed: Int) {
        indexBuffer = Self.grown(
            indexBuffer, to: needed * MemoryLayout<Int32>.stride, used: count * 4)
        dataBuffer = Self.grown(
            dataBuffer, to: needed * dtype.byteCount, used: count * dtype.byteCount)
    }

    private static func grown(_ buffer: RawBuffer, to needed: Int, used: Int) -> RawBuffer {
        if needed <= buffer.capacity { return buffer }
        let larger = RawBuffer(capacity: max(needed, buffer.capacity * 2, 1024))
        larger.memory.copyMemory(from: buffer.memory, byteCount: used)
        return larger
    }
}
