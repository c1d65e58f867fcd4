import Execution
import Operators

/// A raw request: x at the start of the body, the inputs that the query lists behind it, cotangents
/// or tangents last. The query says the shapes, where the body's length does not.
final class RawSource: TensorSource {
    private let body: RawBuffer
    private let items: [QueryItem]
    private var layout = RawLayout.none

    init(_ message: Message) {
        body = message.body
        items = message.query.items
    }

    /// What is known of the body when `begin` has been called.
    private enum RawLayout {
        case none
        case known(RawShape, RawInputs)
    }

    private func text(_ name: String) -> String? { items.first { $0.name == name }?.value }

    var names: [String] { items.map { $0.name } }

    func ownNames(_ procedure: Procedure) -> [String] {
        guard case .rows(_, let direction) = procedure.work else { return [] }
        return ["n", "shape"] + (direction.stackName.map { [$0 + "s"] } ?? [])
            + (Self.inputNames(procedure).isEmpty ? [] : ["inputs"])
    }

    /// Names of the further inputs that raw bodies can have; weights are float64 and few, lists of
    /// entries and documents have no length that a query could say.
    private static func inputNames(_ procedure: Procedure) -> [String] {
        procedure.inputs.filter { $0.shape == .likeX || $0.shape == .indices }.map { $0.name }
    }

    private static let elsewhere = [
        "x": "the body: raw numbers",
        "cotangent": "POST /topk/vjp",
        "cotangents": "POST /topk/vjp",
        "tangent": "POST /topk/jvp",
        "tangents": "POST /topk/jvp",
    ]

    func place(of name: String, _ procedure: Procedure) -> String? {
        guard case .rows(let op, let direction) = procedure.work else { return nil }
        if name == direction.stackName { return "the body, behind x" }
        if Self.inputNames(procedure).contains(name) {
            return "the body, behind x: inputs=\(name)"
        }
        let isInput = op.descriptor.inputs.contains { $0.name == name }
        return isInput ? "an application/json request" : Self.elsewhere[name]
    }

    func parameter(_ spec: ParameterSpec, rowCount: Int) throws(ServiceError) -> RawValue? {
        text(spec.name).map { RawValue(queryText: $0, for: spec.kind) }
    }

    func begin(
        _ procedure: Procedure, _ dtype: DType, _ answer: AnswerLayout
    ) throws(ServiceError) {
        guard case .rows(let op, let direction) = procedure.work else { return }
        // A body behind no x has nothing to say.
        let stackName = direction.stackName.map { $0 + "s" }
        let asked = try stackName.flatMap { (name) throws(ServiceError) -> Int? in
            guard let text = text(name) else { return nil }
            return try RawShape.count(text, name, maximum: Limits.cotangentsMax)
        }
        let inputs = try inputs(procedure)
        var shape = try RawShape(text("n"), text("shape"), dtype)
        shape.stackCount = asked
        let isPlain = inputs.isEmpty && !(op.addsAxis && direction == .vjp)
        if isPlain {
            try shape.setRowCount(
                bodyBytes: body.count, sharing: stackName == nil ? 1 : 1 + (asked ?? 1), stackName)
        } else {
            try shape.checkRowCount(bodyBytes: body.count)
        }
        layout = .known(
            shape, RawInputs(body, shape, inputs, procedure.inputs, answer.indexDType))
    }

    /// The further inputs that the query lists.
    private func inputs(_ procedure: Procedure) throws(ServiceError) -> [String] {
        guard let text = text("inputs") else { return [] }
        let known = Self.inputNames(procedure)
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        for (index, name) in names.enumerated()
        where !known.contains(name) || names[..<index].contains(name) {
            throw .outOfRange(
                .init("inputs"),
                expected: "one or more of \(RawValue.spell(known)), each once",
                found: "\"\(text.prefix(40))\"")
        }
        return names
    }

    func hasInput(_ name: String) -> Bool {
        guard case .known(_, let inputs) = layout else { return false }
        return inputs.names.contains(name)
    }

    func tensor(_ question: TensorQuestion) throws(ServiceError) -> EncodedTensor? {
        guard case .known(let shape, let inputs) = layout else { return nil }
        switch question.spec.shape {
        case .x:
            return EncodedTensor(dtype: shape.dtype, shape: shape.axes, body)
        case .stackLikeAnswer, .stackLikeX:
            let row = question.shape ?? []
            let axes = (shape.stackCount.map { [$0] } ?? []) + row
            let start = try inputs.takeLast(axes)
            return EncodedTensor(dtype: shape.dtype, shape: axes, body, byteOffset: start)
        default:
            guard case .rows(let start)? = try inputs.find(question.spec.name) else { return nil }
            return EncodedTensor(
                dtype: shape.dtype, shape: question.shape ?? shape.axes, body, byteOffset: start)
        }
    }

    func lists(_ question: TensorQuestion) throws(ServiceError) -> IndexLists? {
        guard case .known(_, let inputs) = layout,
            case .lists(let lists)? = try inputs.find(question.spec.name)
        else { return nil }
        return lists
    }

    func finish() throws(ServiceError) {
        guard case .known(_, let inputs) = layout else { return }
        try inputs.checkEnd()
    }
}
