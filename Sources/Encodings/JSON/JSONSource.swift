import Execution
import Operators

/// The members of a JSON request.
final class JSONSource: TensorSource {
    private let reader: JSONReader
    private let bodyBytes: Int
    private let pool: BufferPool

    init(reader: JSONReader, bodyBytes: Int, pool: BufferPool) {
        self.reader = reader
        self.bodyBytes = bodyBytes
        self.pool = pool
    }

    var names: [String] { reader.memberNames }

    func ownNames(_ procedure: Procedure) -> [String] {
        guard case .rows(let op, let direction) = procedure.work else {
            return procedure.inputs.map { $0.name }
        }
        return ["x"] + (direction.stackName.map { [$0] } ?? [])
            + op.descriptor.inputs.map { $0.name }
    }

    /// Names that only raw requests, or another direction, have.
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

    func place(of name: String, _ procedure: Procedure) -> String? {
        guard case .rows = procedure.work else { return nil }
        return Self.elsewhere[name]
    }

    func parameter(_ spec: ParameterSpec, rowCount: Int) throws(ServiceError) -> RawValue? {
        try reader.value(spec.name, JSONReader.Elements(spec, rowCount: rowCount))
    }

    func hasInput(_ name: String) -> Bool { reader.contains(name) }

    func tensor(_ question: TensorQuestion) throws(ServiceError) -> EncodedTensor? {
        let found = try reader.tensor(
            question.spec.name, question.dtype, bodyBytes: bodyBytes,
            takesNegativeInfinity: question.takesNegativeInfinity, pool, question.form)
        return found.map { EncodedTensor(dtype: question.dtype, shape: $0.shape, $0.buffer) }
    }

    func lists(_ question: TensorQuestion) throws(ServiceError) -> IndexLists? {
        guard let x = question.x else { return nil }
        return try reader.lists(
            question.spec.name, rowCount: question.isSingleRow ? nil : x.rowCount,
            rowLength: x.rowLength, bodyBytes: bodyBytes, pool)
    }

    func document(_ name: String) throws(ServiceError) -> Document? {
        try reader.document(name)
    }
}
