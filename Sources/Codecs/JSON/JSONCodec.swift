import Inference
import Operators

/// application/json: parameters and numbers in one object.
package enum JSONCodec: Codec {
    package static var name: String { "json" }
    package static var mediaType: String { "application/json" }
    package static var readsInPlace: Bool { false }
    package static var paddingBytes: Int { Limits.bodyPaddingBytes }

    package static func workingBytes(bodyBytes: Int) -> Int {
        Limits.jsonWorkingBytesPerBodyByte * bodyBytes
    }

    /// Names that only octet-stream, or another direction, has.
    private static let elsewhere = [
        "n": "the query of an application/octet-stream request; here x has its shape",
        "shape": "the query of an application/octet-stream request; here x has its shape",
        "cotangents":
            "the query of an application/octet-stream request; here cotangent has its shape",
        "tangents": "the query of an application/octet-stream request; here tangent has its shape",
        "inputs": "the query of an application/octet-stream request; here inputs have their names",
        "cotangent": "POST /topk/vjp",
        "tangent": "POST /topk/jvp",
    ]

    package static func decode(
        _ message: Message, _ worker: Worker, _ pool: BufferPool
    ) throws(ServiceError) -> InferenceRequest {
        if let item = message.query.items.first {
            throw .misplacedParameter(name: item.name, belongs: "the JSON body, not the query")
        }
        let reader = worker.codecScratch as? JSONReader ?? JSONReader()
        // simdjson keeps memory for the largest document it has seen: not for huge ones.
        worker.codecScratch = message.body.count <= Limits.keptScratchBodyBytesMax ? reader : nil
        try reader.scan(message.body)
        let common = try commonFields(message, reader)
        let inputNames = common.op.descriptor.inputs.map { $0.name }
        let stackName = message.direction.stackName
        let tensorNames = ["x"] + (stackName.map { [$0] } ?? []) + inputNames
        try common.refuseUnknown(
            reader.memberNames, alsoKnown: tensorNames
        ) { Self.elsewhere[$0] }

        let tensors = JSONTensors(
            reader: reader, dtype: common.dtype, bodyBytes: message.body.count, pool: pool)
        let (x, isSingleRow) = try tensors.x(
            takesNegativeInfinity: common.op.descriptor.acceptsNegativeInfinity)
        var inputs: [InputTensor?] = []
        for spec in common.op.descriptor.inputs {
            inputs.append(try tensors.input(spec, x, isSingleRow: isSingleRow))
        }
        // Read before they are decoded: typed throws do not pass through the look-up closure.
        var values: [String: RawValue] = [:]
        for spec in common.parameters {
            values[spec.name] = try reader.value(
                spec.name, JSONReader.Elements(spec, rowCount: x.rowCount))
        }
        let decoder = ParameterDecoder(rowCount: x.rowCount, rowLength: x.rowLength)
        let parameters = try decoder.decode(
            common, inputs: inputNames.filter { reader.contains($0) }
        ) { values[$0.name] }
        let row = common.stackShape(rowLength: x.rowLength, parameters)
        let stack = try stackName.map { (name) throws(ServiceError) in
            try tensors.stack(name, x, row: row, isSingleRow: isSingleRow)
        }
        try common.checkLayout(
            rowCount: x.rowCount * (stack?.rows.stackCount ?? 1), rowLength: x.rowLength,
            parameters)
        let form = RequestForm(
            op: common.op, direction: message.direction, dtype: common.dtype,
            rowCount: x.rowCount, rowLength: x.rowLength, isSingleRow: isSingleRow,
            stackCount: stack?.rows.stackCount ?? 1, hasStackAxis: stack?.hasAxis ?? false,
            parameters: parameters, hasInputs: inputs.contains { $0 != nil },
            layout: common.layout)
        return InferenceRequest(form, x: x, stack: stack?.rows, inputs: inputs)
    }

    private static func commonFields(
        _ message: Message, _ reader: JSONReader
    ) throws(ServiceError) -> CommonFields {
        var values: [String: RawValue] = [:]
        for name in CommonFields.names { values[name] = try reader.value(name) }
        return try CommonFields(message.direction) { values[$0] }
    }

    package static func encode(_ result: borrowing InferenceResult, _ pool: BufferPool)
        throws(ServiceError)
        -> RawBuffer
    {
        try JSONAnswer.encode(result, pool)
    }

    /// None: the body says it all.
    package static func headers(
        of result: borrowing InferenceResult, _ add: (StaticString, String) -> Void
    ) {
    }
}
