import Operators

/// What a request means but for its numbers: what a trainer's requests have in common from step to
/// step. Where an encoding's shapes follow from the target and the body's length alone, it is made
/// once for all of them (`PreparedRequest`).
package final class InvocationForm: Sendable {
    package let procedure: Procedure
    package let dtype: DType
    /// B; 1 for a single row, 0 where the procedure takes no x.
    package let rowCount: Int
    /// n.
    package let rowLength: Int
    /// Whether x comes as one row [n]; the answer's shape follows.
    package let isSingleRow: Bool
    /// G, or 1.
    package let stackCount: Int
    /// Whether cotangents or tangents come with a leading axis G; the answer's shape follows.
    package let hasStackAxis: Bool
    package let parameters: ParameterValues
    package let layout: AnswerLayout
    /// What is answered beside the answer.
    package let outputs: [TensorSpec]
    package let hasOutputs: Bool
    /// The last axes of the answer; products with the transposed Jacobian are shaped like x.
    package let answerShape: AnswerShape
    /// The answer's shape: [G,] [B,] n or [B,] n, k.
    package let shape: [Int]
    /// The same with commas between.
    package let shapeText: String
    package let lane: Lane
    /// Whether its rows may be computed by several workers.
    let isSplittable: Bool
    /// Whether no further inputs come.
    let hasNoInputs: Bool
    /// As many nil as the operator has inputs.
    let noInputs: [InputTensor?]
    /// Bytes that computing takes beside its numbers, where they are many. The numbers of sparse
    /// rows are not among them: nobody knows before how many there will be.
    package let workingBytes: Int
    package let summary: Summary

    /// What the log says of a request: kept longer than its parameters, of which there may be many.
    package struct Summary: Sendable {
        package let dtype: DType
        package let rowCount: Int
        package let rowLength: Int
        /// The first row's k.
        package let k: Double?
    }

    /// Everything that an `InvocationForm` is made from.
    package struct Draft {
        package var dtype: DType
        package var layout: AnswerLayout
        package var rowCount = 0
        package var rowLength = 0
        package var isSingleRow = false
        package var stackCount = 1
        package var hasStackAxis = false
        package var hasInputs = false

        package init(dtype: DType, layout: AnswerLayout) {
            self.dtype = dtype
            self.layout = layout
        }
    }

    package init(_ procedure: Procedure, _ parameters: ParameterValues, _ draft: Draft) {
        self.procedure = procedure
        self.parameters = parameters
        dtype = draft.dtype
        layout = draft.layout
        rowCount = draft.rowCount
        rowLength = draft.rowLength
        isSingleRow = draft.isSingleRow
        stackCount = draft.stackCount
        hasStackAxis = draft.hasStackAxis
        hasNoInputs = !draft.hasInputs
        let x = BatchShape(rowCount: rowCount, rowLength: rowLength)
        var bytes = 0
        switch procedure.work {
        case .rows(let op, let direction):
            noInputs = op.descriptor.inputs.map { _ in nil }
            outputs = op.outputs(direction, parameters)
            answerShape =
                direction == .vjp
                ? .likeX(rowLength: rowLength) : op.answerShape(rowLength: rowLength, parameters)
            lane = op.lane(direction, parameters, x)
            if case .row = op.scope(parameters) {
                isSplittable = true
            } else {
                isSplittable = false
            }
            // An offset, and for outputs of a number a row that number and its column.
            bytes =
                rowCount * stackCount * (16 + 24 * outputs.count)
                + op.workingBytes(direction, parameters, x, dtype)
        case .document(let work):
            noInputs = []
            outputs = []
            answerShape = .likeX(rowLength: 0)
            lane = work.lane(parameters)
            isSplittable = false
        }
        hasOutputs = !outputs.isEmpty
        workingBytes = bytes > Self.workingBytesMin ? bytes : 0
        shape =
            (hasStackAxis ? [stackCount] : []) + (isSingleRow ? [] : [rowCount])
            + (answerShape.addsAxis ? [answerShape.rowsPerInputRow] : []) + [answerShape.rowLength]
        shapeText = shape.map { String($0) }.joined(separator: ",")
        summary = Summary(
            dtype: dtype, rowCount: rowCount, rowLength: rowLength,
            k: parameters.value(named: "k").flatMap { Self.first($0) })
    }

    private static func first(_ value: ParameterValue) -> Double? {
        switch value {
        case .integers(let values): values.first.map { Double($0) }
        case .numbers(let values): values.first
        case .word, .words, .boolean: nil
        }
    }

    /// Makes room for the answers of so many rows of x.
    func reset(_ output: OperatorOutput, rowCount: Int) {
        output.reset(
            dtype: dtype, rowLength: answerShape.rowLength,
            rowCapacity: rowCount * stackCount * answerShape.rowsPerInputRow, outputs)
    }

    /// Rows of about `Limits.blockElements` numbers; all of them where they may not be split.
    var rowsPerBlock: Int {
        isSplittable ? max(1, Limits.blockElements / max(1, rowLength)) : max(1, rowCount)
    }

    /// Less is not counted: requests of a few KB are many.
    private static let workingBytesMin = 1 << 20
}
