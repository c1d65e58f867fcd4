import CKernels

/// Rows of sparse numbers in CSR form (SciPy's names): row r holds `data[indptr[r]..<indptr[r +
/// 1]]` at the columns `indices` of the same range.
///
/// Invariant: within a row indices ascend and are distinct, and no stored value is zero (except
/// where the rows of several arrays share their columns, see `appendRow`).
/// A buffer is reused through `reset`; one thread writes, then others read.
package final class SparseRows: @unchecked Sendable {
    package private(set) var dtype: DType = .float32
    /// Columns of a row (the last axis of the answer).
    package private(set) var rowLength = 0
    /// `rowCount + 1` offsets into `indices` and `data`; the first is 0.
    package private(set) var indptr: [Int] = [0]
    private var indexBuffer = RawBuffer(capacity: 0)
    private var dataBuffer = RawBuffer(capacity: 0)
    /// Whether each row so far has all of its columns: they are not stored then, until someone
    /// asks for `indices`.
    package private(set) var impliesColumns = true

    /// Whether a NaN or an infinity was ever appended since `reset`: an invariant that failed.
    package private(set) var hasNonFinite = false

    package init() {}

    package var rowCount: Int { indptr.count - 1 }
    /// Stored numbers (nnz).
    package var count: Int { indptr[indptr.count - 1] }

    /// `count` column indices. Where they were implied, this stores them: one thread at a time.
    package var indices: UnsafeBufferPointer<Int32> {
        if impliesColumns { storeColumns() }
        return UnsafeBufferPointer(
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
        impliesColumns = true
        indptr.removeAll(keepingCapacity: true)
        indptr.reserveCapacity(rowCapacity + 1)
        indptr.append(0)
    }

    /// Appends one row: `count` numbers at ascending columns, rounded once to `dtype`, here and
    /// nowhere else. Finite numbers beyond the type are clamped to its largest, so that a gradient
    /// is never infinite; zeros are dropped, so that no operator has to.
    ///
    /// - Parameters:
    ///   - columns: nil for 0, 1, 2 ...
    ///   - keepsZeros: for arrays that share their columns.
    @inline(__always)
    func appendRow(
        count: Int, _ columns: UnsafePointer<Int32>?, _ values: UnsafePointer<Double>,
        keepsZeros: Bool = false
    ) {
        let start = self.count
        reserve(start + count)
        switch dtype {
        case .float32: append(count, columns, values, keepsZeros, start, CKernels_round_f32)
        case .float64: append(count, columns, values, keepsZeros, start, CKernels_round_f64)
        case .float16: append(count, columns, values, keepsZeros, start, CKernels_round_f16)
        case .bfloat16: append(count, columns, values, keepsZeros, start, CKernels_round_bf16)
        }
    }

    /// Appends one row from arrays: for operators whose rows are few, or that are no kernels.
    package func append(_ columns: [Int32], _ values: [Double]) {
        precondition(columns.count == values.count)
        columns.withUnsafeBufferPointer { columns in
            values.withUnsafeBufferPointer { values in
                guard let columns = columns.baseAddress, let start = values.baseAddress else {
                    var nothing = 0.0
                    return appendRow(count: 0, nil, &nothing)
                }
                appendRow(count: values.count, columns, start)
            }
        }
    }

    /// Appends some rows as `appendRow` does each, of numbers that lie one after the other: a
    /// segment each.
    func appendRows(
        _ segments: UnsafeBufferPointer<CKernels_Segment>, _ columns: UnsafePointer<Int32>,
        _ values: UnsafePointer<Double>, keepsZeros: Bool
    ) {
        guard let first = segments.first?.start, let end = segments.last?.end else { return }
        reserve(count + end - first)
        let columns = columns + first
        switch dtype {
        case .float32:
            append(segments, columns, values, keepsZeros, CKernels_round_rows_f32)
        case .float64:
            append(segments, columns, values, keepsZeros, CKernels_round_rows_f64)
        case .float16:
            append(segments, columns, values, keepsZeros, CKernels_round_rows_f16)
        case .bfloat16:
            append(segments, columns, values, keepsZeros, CKernels_round_rows_bf16)
        }
    }

    private func append<Number>(
        _ segments: UnsafeBufferPointer<CKernels_Segment>, _ columns: UnsafePointer<Int32>,
        _ values: UnsafePointer<Double>, _ keepsZeros: Bool,
        _ round: (
            UnsafePointer<Double>, UnsafePointer<Int32>, UnsafePointer<CKernels_Segment>, Int,
            Bool, UnsafeMutablePointer<Number>, UnsafeMutablePointer<Int32>,
            UnsafeMutablePointer<Int>, UnsafeMutablePointer<Bool>
        ) -> Int
    ) {
        let start = count
        let rowsBefore = indptr.count
        let indices = indexBuffer.memory.assumingMemoryBound(to: Int32.self) + start
        let data = dataBuffer.memory.assumingMemoryBound(to: Number.self) + start
        var isFinite = true
        indptr.append(contentsOf: repeatElement(start, count: segments.count))
        indptr.withUnsafeMutableBufferPointer { indptr in
            guard let rows = segments.baseAddress, let ends = indptr.baseAddress else { return }
            _ = round(
                values, columns, rows, segments.count, keepsZeros, data, indices,
                ends + rowsBefore, &isFinite)
        }
        if !isFinite { hasNonFinite = true }
    }

    /// Appends a row of which all numbers are given, as `fill` computes them; zeros are dropped.
    ///
    /// - Parameters:
    ///   - scratch: for numbers that are narrowed afterwards.
    ///   - fill: gets room for `rowLength` numbers and 16 more; says whether it knows that none of
    ///     them is 0 or NaN.
    @inline(__always)
    func appendFull<S: KernelScalar>(
        _ type: S.Type, _ scratch: inout Scratch<Double>,
        _ fill: (UnsafeMutablePointer<S>) -> Bool
    ) {
        let start = count
        let room = rowLength + Int(CKernels_lanes)
        reserveData(start + room)
        let data = dataBuffer.memory + start * dtype.byteCount
        let isInPlace = S.isStored(as: dtype)
        let values = (isInPlace ? data : UnsafeMutableRawPointer(scratch.reserve(room)))
            .assumingMemoryBound(to: S.self)
        if fill(values) && isInPlace && impliesColumns {
            indptr.append(start + rowLength)
            return
        }
        reserveIndices(start + rowLength)
        let indices = indexBuffer.memory.assumingMemoryBound(to: Int32.self) + start
        var isFinite = true
        let kept = S.pack(values, count: rowLength, as: dtype, data, indices, &isFinite)
        if !isFinite { hasNonFinite = true }
        indptr.append(start + kept)
    }

    /// Appends a row of columns without numbers: for outputs that are lists of indices.
    func append(columns: some Collection<Int32>) {
        let start = count
        reserveIndices(start + columns.count)
        let indices = indexBuffer.memory.assumingMemoryBound(to: Int32.self) + start
        for (i, column) in columns.enumerated() { indices[i] = column }
        indptr.append(start + columns.count)
    }

    /// Appends a row of all its numbers, zeros too, which the caller writes at once: for outputs
    /// shaped like x. Its columns are not stored.
    func appendDense() -> UnsafeMutableRawPointer {
        let start = count
        precondition(impliesColumns, "rows of some columns, then of all")
        reserveData(start + rowLength)
        indptr.append(start + rowLength)
        return dataBuffer.memory + start * dtype.byteCount
    }

    /// Appends a row of one number, which may be 0: for outputs of one number a row.
    package func append(number: Double) {
        if rowLength == 1 && impliesColumns && dtype == .float64 {
            // What a short row has of these costs as much as the row, otherwise.
            let place = appendDense()
            place.storeBytes(of: number, as: Double.self)
            if !number.isFinite { hasNonFinite = true }
            return
        }
        withUnsafePointer(to: Int32(0)) { column in
            withUnsafePointer(to: number) { value in
                appendRow(count: 1, column, value, keepsZeros: true)
            }
        }
    }

    @inline(__always)
    private func append<Number>(
        _ count: Int, _ columns: UnsafePointer<Int32>?, _ values: UnsafePointer<Double>,
        _ keepsZeros: Bool, _ start: Int, _ round: RoundKernel<Number>
    ) {
        let indices = indexBuffer.memory.assumingMemoryBound(to: Int32.self) + start
        let data = dataBuffer.memory.assumingMemoryBound(to: Number.self) + start
        var isFinite = true
        let kept = round(values, columns, count, keepsZeros, data, indices, &isFinite)
        if !isFinite { hasNonFinite = true }
        indptr.append(start + kept)
    }

    private typealias RoundKernel<Number> = (
        UnsafePointer<Double>, UnsafePointer<Int32>?, Int, Bool, UnsafeMutablePointer<Number>,
        UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Bool>
    ) -> Int

    private func reserve(_ needed: Int) {
        reserveIndices(needed)
        reserveData(needed)
    }

    private func reserveIndices(_ needed: Int) {
        if impliesColumns { storeColumns() }
        growIndices(needed)
    }

    private func storeColumns() {
        growIndices(count)
        let indices = indexBuffer.memory.assumingMemoryBound(to: Int32.self)
        for row in 0..<rowCount {
            let start = indptr[row]
            for column in 0..<rowLength { indices[start + column] = Int32(column) }
        }
        impliesColumns = false
    }

    private func growIndices(_ needed: Int) {
        let indexBytes = needed * MemoryLayout<Int32>.stride
        if indexBytes > indexBuffer.capacity {
            indexBuffer = Self.grown(indexBuffer, to: indexBytes, used: count * 4)
        }
    }

    private func reserveData(_ needed: Int) {
        let dataBytes = needed * dtype.byteCount
        if dataBytes > dataBuffer.capacity {
            dataBuffer = Self.grown(dataBuffer, to: dataBytes, used: count * dtype.byteCount)
        }
    }

    private static func grown(_ buffer: RawBuffer, to needed: Int, used: Int) -> RawBuffer {
        let larger = RawBuffer(capacity: max(needed, buffer.capacity * 2, 1024))
        // Of columns that are implied nothing is there yet.
        larger.memory.copyMemory(from: buffer.memory, byteCount: min(used, buffer.capacity))
        return larger
    }
}
