import Inference
import Operators

/// The arrays of a JSON request.
struct JSONTensors {
    let reader: JSONReader
    let dtype: DType
    let bodyBytes: Int
    let pool: BufferPool

    /// x: one row [n] or many [B, n].
    func x(takesNegativeInfinity: Bool) throws(ServiceError) -> (DenseRows, isSingleRow: Bool) {
        let found = try reader.tensor(
            "x", dtype, bodyBytes: bodyBytes, takesNegativeInfinity: takesNegativeInfinity, pool)
        guard let (buffer, shape) = found else {
            throw .missingParameter(name: "x", expected: "one row [n] or many [B, n]")
        }
        guard shape.count <= 2 else {
            throw .wrongShape(
                field: "x", expected: "one row [n] or many [B, n]", found: "\(shape.count) axes")
        }
        if shape.contains(0) { throw .emptyRows(.init("x")) }
        let rows = DenseRows(
            buffer, dtype: dtype, rowCount: shape.count == 1 ? 1 : shape[0],
            rowLength: shape[shape.count - 1])
        return (rows, shape.count == 1)
    }

    /// Cotangents or tangents: shaped like the answer (tangents: like x), or with one more leading
    /// axis.
    ///
    /// - Parameter row: the shape of what belongs to a row of x.
    func stack(
        _ name: String, _ x: DenseRows, row: AnswerShape, isSingleRow: Bool
    ) throws(ServiceError) -> (rows: StackedRows, hasAxis: Bool) {
        let rowShape = (row.addsAxis ? [row.rowsPerInputRow] : []) + [row.rowLength]
        let xShape = (isSingleRow ? [] : [x.rowCount]) + rowShape
        let whose = row.addsAxis ? "the answer" : "x"
        let expected = "\(xShape), as \(whose), or with one more leading axis"
        let form = ServiceError.Place.Form(hasRows: !isSingleRow, isMatrix: row.addsAxis)
        let found = try reader.tensor(
            name, dtype, bodyBytes: bodyBytes, takesNegativeInfinity: false, pool, form)
        guard let (buffer, shape) = found else {
            throw .missingParameter(name: name, expected: expected)
        }
        let hasAxis = shape.count == xShape.count + 1
        guard Array(shape.suffix(xShape.count)) == xShape, hasAxis || shape.count == xShape.count
        else {
            throw .wrongShape(field: name, expected: expected, found: "\(shape)")
        }
        if shape.contains(0) { throw .emptyRows(.init(name)) }
        let stackCount = hasAxis ? shape[0] : 1
        guard stackCount <= Limits.cotangentsMax else {
            throw .outOfRange(
                .init(name), expected: "at most \(Limits.cotangentsMax) \(name)s",
                found: "\(stackCount)")
        }
        let rows = DenseRows(
            buffer, dtype: dtype, rowCount: stackCount * x.rowCount,
            rowLength: row.rowsPerInputRow * row.rowLength)
        return (StackedRows(rows, stackCount: stackCount), hasAxis)
    }

    /// A further input of the operator; nil where an optional one is absent.
    func input(
        _ spec: TensorSpec, _ x: DenseRows, isSingleRow: Bool
    ) throws(ServiceError) -> InputTensor? {
        if spec.shape == .indices {
            let lists = try reader.lists(
                spec.name, rowCount: isSingleRow ? nil : x.rowCount, rowLength: x.rowLength,
                bodyBytes: bodyBytes, pool)
            if lists == nil && spec.isRequired {
                throw .missingParameter(name: spec.name, expected: "a list of columns for each row")
            }
            return lists.map { .lists($0) }
        }
        return try rows(spec, x).map { .rows($0) }
    }

    private func rows(_ spec: TensorSpec, _ x: DenseRows) throws(ServiceError) -> DenseRows? {
        // Weights are few, and must not be rounded to 16 bits.
        let dtype = spec.shape == .weights ? DType.float64 : dtype
        let xShape = [x.rowCount, x.rowLength]
        let expected = spec.shape == .weights ? "[\(x.rowLength)], or \(xShape)" : "\(xShape)"
        let found = try reader.tensor(
            spec.name, dtype, bodyBytes: bodyBytes, takesNegativeInfinity: false, pool)
        guard let (buffer, shape) = found else {
            if spec.isRequired { throw .missingParameter(name: spec.name, expected: expected) }
            return nil
        }
        let isOneRow = shape == [x.rowLength] && (spec.shape == .weights || x.rowCount == 1)
        guard isOneRow || shape == xShape else {
            throw .wrongShape(field: spec.name, expected: expected, found: "\(shape)")
        }
        return DenseRows(
            buffer, dtype: dtype, rowCount: isOneRow ? 1 : x.rowCount, rowLength: x.rowLength)
    }
}
