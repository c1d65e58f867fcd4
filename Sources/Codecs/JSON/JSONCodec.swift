import Inference
import Operators

/// application/json: parameters and numbers in one object.
package struct JSONCodec: Codec {
    package let name = "json"
    package let mediaType = "application/json"
    package let paddingBytes = Limits.bodyPaddingBytes

    package init() {}

    package func workingBytes(bodyBytes: Int) -> Int {
        Limits.jsonWorkingBytesPerBodyByte * bodyBytes
    }

    /// Names that only octet-stream has.
    private static let elsewhere = [
        "n": "the query of an application/octet-stream request; here x has its shape",
        "shape": "the query of an application/octet-stream request; here x has its shape",
        "cotangents":
            "the query of an application/octet-stream request; here cotangent has its shape",
        "cotangent": "POST /topk/vjp",
    ]

    package func decode(
        _ message: Message, _ worker: Worker, _ pool: BufferPool
    ) throws(ServiceError) -> InferenceRequest {
        if let item = message.query.first {
            throw .misplacedParameter(name: item.name, belongs: "the JSON body, not the query")
        }
        let reader = worker.codecScratch as? JSONReader ?? JSONReader()
        // simdjson keeps memory for the largest document it has seen: not for huge ones.
        worker.codecScratch = message.body.count <= Limits.keptScratchBodyBytesMax ? reader : nil
        try reader.scan(message.body)
        let common = try commonFields(message, reader)
        let tensors = message.direction == .vjp ? ["x", "cotangent"] : ["x"]
        try common.refuseUnknown(
            reader.memberNames, alsoKnown: tensors, elsewhere: Self.elsewhere)

        let (x, isSingleRow) = try self.x(message, common, reader, pool)
        let cotangents =
            message.direction == .vjp
            ? try self.cotangents(message, common, x, isSingleRow, reader, pool) : nil
        try common.checkIndexRange(
            elementCount: x.rowCount * x.rowLength * (cotangents?.rows.stackCount ?? 1))
        // Read before they are decoded: typed throws do not pass through the look-up closure.
        var values: [String: RawValue] = [:]
        for spec in common.op.descriptor.parameters {
            values[spec.name] = try reader.value(spec.name, rowCountMax: x.rowCount)
        }
        let decoder = ParameterDecoder(rowCount: x.rowCount, rowLength: x.rowLength)
        let parameters = try decoder.decode(common.op) { values[$0.name] }
        return InferenceRequest(
            op: common.op, direction: message.direction, x: x, isSingleRow: isSingleRow,
            cotangents: cotangents?.rows, hasStackAxis: cotangents?.hasAxis ?? false,
            parameters: parameters, format: common.format, indexDType: common.indexDType)
    }

    private func commonFields(
        _ message: Message, _ reader: JSONReader
    ) throws(ServiceError) -> CommonFields {
        var values: [String: RawValue] = [:]
        for name in CommonFields.names { values[name] = try reader.value(name, rowCountMax: 1) }
        return try CommonFields(message.direction) { values[$0] }
    }

    private func x(
        _ message: Message, _ common: CommonFields, _ reader: JSONReader, _ pool: BufferPool
    ) throws(ServiceError) -> (DenseRows, isSingleRow: Bool) {
        let found = try reader.tensor(
            "x", common.dtype, bodyBytes: message.body.count,
            takesNegativeInfinity: common.op.descriptor.acceptsNegativeInfinity, pool)
        guard let (buffer, shape) = found else {
            throw .missingParameter(name: "x", expected: "one row [n] or many [B, n]")
        }
        guard shape.count <= 2 else {
            throw .wrongShape(
                field: "x", expected: "one row [n] or many [B, n]", found: "\(shape.count) axes")
        }
        if shape.contains(0) { throw .emptyRows(.init("x")) }
        let rows = DenseRows(
            buffer, dtype: common.dtype, rowCount: shape.count == 1 ? 1 : shape[0],
            rowLength: shape[shape.count - 1])
        return (rows, shape.count == 1)
    }

    private func cotangents(
        _ message: Message, _ common: CommonFields, _ x: DenseRows, _ isSingleRow: Bool,
        _ reader: JSONReader, _ pool: BufferPool
    ) throws(ServiceError) -> (rows: StackedRows, hasAxis: Bool) {
        let xShape = isSingleRow ? [x.rowLength] : [x.rowCount, x.rowLength]
        let expected = "\(xShape), as x, or with one more leading axis"
        let found = try reader.tensor(
            "cotangent", common.dtype, bodyBytes: message.body.count,
            takesNegativeInfinity: false, pool)
        guard let (buffer, shape) = found else {
            throw .missingParameter(name: "cotangent", expected: expected)
        }
        let hasAxis = shape.count == xShape.count + 1
        guard Array(shape.suffix(xShape.count)) == xShape, hasAxis || shape.count == xShape.count
        else {
            throw .wrongShape(field: "cotangent", expected: expected, found: "\(shape)")
        }
        if shape.contains(0) { throw .emptyRows(.init("cotangent")) }
        let stackCount = hasAxis ? shape[0] : 1
        guard stackCount <= Limits.cotangentsMax else {
            throw .outOfRange(
                .init("cotangent"), expected: "at most \(Limits.cotangentsMax) cotangents",
                found: "\(stackCount)")
        }
        let rows = DenseRows(
            buffer, dtype: common.dtype, rowCount: stackCount * x.rowCount, rowLength: x.rowLength)
        return (StackedRows(rows, stackCount: stackCount), hasAxis)
    }

    package func encode(_ result: InferenceResult, _ pool: BufferPool) -> EncodedAnswer {
        EncodedAnswer(headers: [], body: JSONAnswer.encode(result, pool))
    }
}
