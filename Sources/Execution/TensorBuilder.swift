import Operators

/// Asks an encoding for tensors one by one, and checks their types, shapes and alignment.
struct TensorBuilder {
    let source: any TensorSource
    let pool: BufferPool

    /// x, [B, n] or [n].
    struct Batch {
        let rows: DenseRows
        let isSingleRow: Bool

        /// [B, n], or [n] for a single row.
        var shape: [Int] { (isSingleRow ? [] : [rows.rowCount]) + [rows.rowLength] }
    }

    func x(_ dtype: DType, takesNegativeInfinity: Bool) throws(ServiceError) -> Batch {
        let expected = "one row [n] or many [B, n]"
        let found = try source.tensor(
            TensorQuestion(
                spec: .x, dtype: dtype, takesNegativeInfinity: takesNegativeInfinity, shape: nil,
                x: nil, isSingleRow: false, form: .init()))
        guard let found else { throw .missingParameter(name: "x", expected: expected) }
        guard (1...2).contains(found.shape.count) else {
            throw .wrongShape(
                field: "x", expected: expected, found: "\(found.shape.count) axes")
        }
        if found.shape.contains(0) { throw .emptyRows(.init("x")) }
        let isSingleRow = found.shape.count == 1
        let rowLength = found.shape[found.shape.count - 1]
        guard rowLength <= Limits.rowLengthMax else {
            throw .tooManyElements(field: "x", limit: Limits.rowLengthMax)
        }
        let rows = try rows(
            found, "x", rowCount: isSingleRow ? 1 : found.shape[0], rowLength: rowLength)
        return Batch(rows: rows, isSingleRow: isSingleRow)
    }

    /// Cotangents or tangents: shaped like the answer (tangents: like x), or with one more leading
    /// axis.
    ///
    /// - Parameter row: the shape of what belongs to a row of x.
    func stack(
        _ spec: TensorSpec, _ x: Batch, row: AnswerShape
    ) throws(ServiceError) -> (rows: StackedRows, hasAxis: Bool) {
        let rowShape = (row.addsAxis ? [row.rowsPerInputRow] : []) + [row.rowLength]
        let shape = (x.isSingleRow ? [] : [x.rows.rowCount]) + rowShape
        let whose = row.addsAxis ? "the answer" : "x"
        let expected = "\(shape), as \(whose), or with one more leading axis"
        let found = try source.tensor(
            TensorQuestion(
                spec: spec, dtype: x.rows.dtype, takesNegativeInfinity: false, shape: shape,
                x: x.rows.shape, isSingleRow: x.isSingleRow,
                form: .init(hasRows: !x.isSingleRow, isMatrix: row.addsAxis)))
        guard let found else { throw .missingParameter(name: spec.name, expected: expected) }
        let hasAxis = found.shape.count == shape.count + 1
        guard Array(found.shape.suffix(shape.count)) == shape,
            hasAxis || found.shape.count == shape.count
        else {
            throw .wrongShape(field: spec.name, expected: expected, found: "\(found.shape)")
        }
        if found.shape.contains(0) { throw .emptyRows(.init(spec.name)) }
        let stackCount = hasAxis ? found.shape[0] : 1
        guard stackCount <= Limits.cotangentsMax else {
            throw .outOfRange(
                .init(spec.name), expected: "at most \(Limits.cotangentsMax) \(spec.name)s",
                found: "\(stackCount)")
        }
        try checkType(found, spec.name, x.rows.dtype)
        let rows = try rows(
            found, spec.name, rowCount: stackCount * x.rows.rowCount,
            rowLength: row.rowsPerInputRow * row.rowLength)
        return (StackedRows(rows, stackCount: stackCount), hasAxis)
    }

    /// A further input of an operator of rows; nil where an optional one is absent.
    func input(_ spec: TensorSpec, _ x: Batch) throws(ServiceError) -> InputTensor? {
        switch spec.shape {
        case .indices:
            let lists = try source.lists(question(spec, x, x.rows.dtype, shape: nil))
            if lists == nil && spec.isRequired {
                throw .missingParameter(name: spec.name, expected: "a list of columns for each row")
            }
            return lists.map { .lists($0) }
        case .list, .document: return try free(spec, x.rows.dtype)
        default: return try batch(spec, x).map { .rows($0) }
        }
    }

    private func question(
        _ spec: TensorSpec, _ x: Batch, _ dtype: DType, shape: [Int]?
    ) -> TensorQuestion {
        TensorQuestion(
            spec: spec, dtype: dtype, takesNegativeInfinity: false, shape: shape,
            x: x.rows.shape, isSingleRow: x.isSingleRow, form: .init())
    }

    /// Numbers in rows, as x: [B, n]; weights also [n].
    private func batch(_ spec: TensorSpec, _ x: Batch) throws(ServiceError) -> DenseRows? {
        // Weights are few, and must not be rounded to 16 bits.
        let isWeights = spec.shape == .weights
        let dtype = isWeights ? DType.float64 : x.rows.dtype
        let (rowCount, rowLength) = (x.rows.rowCount, x.rows.rowLength)
        let xShape = [rowCount, rowLength]
        let expected = isWeights ? "[\(rowLength)], or \(xShape)" : "\(xShape)"
        let found = try source.tensor(question(spec, x, dtype, shape: xShape))
        guard let found else {
            if spec.isRequired { throw .missingParameter(name: spec.name, expected: expected) }
            return nil
        }
        let isOneRow = found.shape == [rowLength] && (isWeights || rowCount == 1)
        guard isOneRow || found.shape == xShape else {
            throw .wrongShape(field: spec.name, expected: expected, found: "\(found.shape)")
        }
        try checkType(found, spec.name, dtype)
        return try rows(
            found, spec.name, rowCount: isOneRow ? 1 : rowCount, rowLength: rowLength)
    }

    /// An input whose shape does not follow from x: a list [m, columns], or a document.
    func free(_ spec: TensorSpec, _ dtype: DType) throws(ServiceError) -> InputTensor? {
        if spec.shape == .document {
            if let document = try source.document(spec.name) { return .document(document) }
            if spec.isRequired { throw .missingParameter(name: spec.name, expected: "an object") }
            return nil
        }
        let columns: Int
        if case .list(let count) = spec.shape { columns = count } else { columns = 0 }
        let expected = columns > 0 ? "[m, \(columns)]" : "one row [n] or many [B, n]"
        // Indices are exact in float64.
        let type = spec.type == .answer ? dtype : .float64
        let found = try source.tensor(
            TensorQuestion(
                spec: spec, dtype: type, takesNegativeInfinity: false, shape: nil, x: nil,
                isSingleRow: false, form: .init()))
        guard let found else {
            if spec.isRequired { throw .missingParameter(name: spec.name, expected: expected) }
            return nil
        }
        let isEmpty = found.shape == [0]
        guard isEmpty || (columns > 0 ? found.shape.count == 2 : found.shape.count <= 2),
            isEmpty || columns == 0 || found.shape[1] == columns
        else { throw .wrongShape(field: spec.name, expected: expected, found: "\(found.shape)") }
        if spec.type == .answer { try checkType(found, spec.name, type) }
        let rowCount = isEmpty ? 0 : found.shape.count == 1 ? 1 : found.shape[0]
        return .rows(
            try rows(
                found, spec.name, rowCount: rowCount,
                rowLength: isEmpty ? columns : found.shape[found.shape.count - 1]))
    }

    private func checkType(
        _ found: EncodedTensor, _ name: String, _ dtype: DType
    ) throws(ServiceError) {
        guard found.dtype == dtype else {
            throw .wrongType(
                .init(name), expected: dtype.rawValue, found: found.dtype.rawValue)
        }
    }

    /// A view, or a copy of what is not aligned for its type.
    private func rows(
        _ found: EncodedTensor, _ name: String, rowCount: Int, rowLength: Int
    ) throws(ServiceError) -> DenseRows {
        let (count, overflow) = rowCount.multipliedReportingOverflow(by: rowLength)
        guard !overflow && count <= Limits.numbersBytesMax / found.dtype.byteCount else {
            throw .tooManyElements(field: name, limit: Limits.numbersBytesMax)
        }
        let byteCount = count * found.dtype.byteCount
        precondition(found.byteOffset >= 0 && byteCount <= found.buffer.capacity - found.byteOffset)
        if found.byteOffset % found.dtype.byteCount == 0 {
            return DenseRows(
                found.buffer, byteOffset: found.byteOffset, dtype: found.dtype,
                rowCount: rowCount, rowLength: rowLength)
        }
        guard let copy = pool.take(byteCount: byteCount) else { throw .overloaded(.bytes) }
        copy.memory.copyMemory(from: found.buffer.memory + found.byteOffset, byteCount: byteCount)
        copy.count = byteCount
        return DenseRows(copy, dtype: found.dtype, rowCount: rowCount, rowLength: rowLength)
    }
}
