import Operators

/// What the log says of a request: kept longer than its parameters, of which there may be many.
package final class RequestSummary: Sendable {
    package let operatorName: String
    package let direction: Direction
    package let dtype: DType
    /// B.
    package let rowCount: Int
    /// n.
    package let rowLength: Int
    /// The first row's k.
    package let k: Double?

    fileprivate init(
        _ operatorName: String, _ direction: Direction, _ dtype: DType, rowCount: Int,
        rowLength: Int, _ k: ParameterValue?
    ) {
        self.operatorName = operatorName
        self.direction = direction
        self.dtype = dtype
        self.rowCount = rowCount
        self.rowLength = rowLength
        self.k =
            switch k {
            case .integers(let values): values.first.map { Double($0) }
            case .numbers(let values): values.first
            default: nil
            }
    }
}

/// What a request means but for its numbers: what a trainer's requests have in common from step to
/// step. Made once where it can be kept, and what follows from it with it.
package final class RequestForm: Sendable {
    package let op: any Operator
    /// Its name.
    package let operatorName: String
    /// Its place in `Registry.names`; nil if it is not there.
    package let operatorIndex: Int?
    package let direction: Direction
    package let dtype: DType
    /// B; 1 for a single row.
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
    package let summary: RequestSummary
    /// Whether a few thousand numbers take microseconds.
    package let isQuick: Bool
    /// Whether the operator has been asked already, and refuses nothing: without further inputs
    /// nothing else matters. With them it cannot be asked before they are there.
    let isSound: Bool
    /// Whether no further inputs come.
    let hasNoInputs: Bool
    /// Whether later requests may have this very object: a plan keeps it.
    package let isShared: Bool
    /// Bytes that computing takes beside its numbers, where they are many: what each row takes in
    /// each output, and answers that have more numbers than x with what they are computed from. The
    /// numbers of sparse rows are not among them: nobody knows before how many there will be.
    package let computingBytes: Int

    /// - Parameters:
    ///   - hasInputs: whether further inputs come.
    ///   - isShared: whether later requests may have this very object.
    package init(
        op: any Operator, direction: Direction, dtype: DType, rowCount: Int, rowLength: Int,
        isSingleRow: Bool, stackCount: Int = 1, hasStackAxis: Bool = false,
        parameters: ParameterValues, hasInputs: Bool = false, layout: AnswerLayout,
        isShared: Bool = false
    ) {
        self.op = op
        let name = op.descriptor.name
        operatorName = name
        operatorIndex = Registry.names.firstIndex(of: name)
        self.direction = direction
        self.dtype = dtype
        self.rowCount = rowCount
        self.rowLength = rowLength
        self.isSingleRow = isSingleRow
        self.stackCount = stackCount
        self.hasStackAxis = hasStackAxis
        self.parameters = parameters
        self.layout = layout
        outputs = op.outputs(direction, parameters)
        hasOutputs = !outputs.isEmpty
        // Forward's shape, whatever the direction: gradients solve the same row.
        let matrix = op.answerShape(rowLength: rowLength, parameters)
        answerShape =
            direction != .vjp
            ? matrix : AnswerShape(rowsPerInputRow: 1, rowLength: rowLength, addsAxis: false)
        var shape: [Int] = []
        if hasStackAxis { shape.append(stackCount) }
        if !isSingleRow { shape.append(rowCount) }
        if answerShape.addsAxis { shape.append(answerShape.rowsPerInputRow) }
        shape.append(answerShape.rowLength)
        self.shape = shape
        shapeText = shape.map { String($0) }.joined(separator: ",")
        summary = RequestSummary(
            name, direction, dtype, rowCount: rowCount, rowLength: rowLength,
            parameters.value(named: "k"))
        isQuick = op.isQuick(parameters)
        hasNoInputs = !hasInputs
        self.isShared = isShared
        isSound = hasInputs ? false : Self.isSound(op, parameters, rowCount, rowLength)
        // An offset, and for outputs of a number a row that number and its column.
        var bytes = rowCount * stackCount * (16 + 24 * outputs.count)
        if op.addsAxis {
            // One row's plan and its sums in float64, and the answer's rows.
            bytes += 32 * matrix.rowsPerInputRow * (matrix.rowLength + 1)
            let rows = direction == .forward ? rowCount * matrix.rowsPerInputRow : 0
            bytes += rows * (matrix.rowLength * (dtype.byteCount + 4) + 8)
        }
        computingBytes = bytes > Self.computingBytesMin ? bytes : 0
    }

    private static func isSound(
        _ op: any Operator, _ parameters: ParameterValues, _ rowCount: Int, _ rowLength: Int
    ) -> Bool {
        let shape = BatchShape(rowCount: rowCount, rowLength: rowLength)
        let inputs: [InputTensor?] = op.descriptor.inputs.map { _ in nil }
        do throws(OperatorError) {
            try op.check(parameters, shape, inputs)
            return true
        } catch {
            return false
        }
    }

    /// x, at the begin of a body.
    package func rows(
        _ body: RawBuffer, isKnownFinite: Bool, early: EarlyMaxima?
    ) -> DenseRows {
        DenseRows(
            body, dtype: dtype, rowCount: rowCount, rowLength: rowLength,
            isKnownFinite: isKnownFinite, early: early)
    }

    /// Makes room for the answers of so many rows of x.
    func reset(_ output: OperatorOutput, rowCount: Int) {
        output.reset(
            dtype: dtype, rowLength: answerShape.rowLength,
            rowCapacity: rowCount * stackCount * answerShape.rowsPerInputRow, outputs)
    }

    /// Less is not counted: requests of a few KB are many.
    private static let computingBytesMin = 1 << 20
}
