import Operators

/// How the answer's numbers are laid out.
package enum AnswerFormat: String, CaseIterable, Sendable {
    /// Sparse rows of any length.
    case csr
    /// Every number.
    case dense
    /// Sparse rows of one length, for compilers that want static shapes.
    case padded
}

/// The type of indptr and indices on the wire.
package enum IndexDType: String, CaseIterable, Sendable {
    case int32
    case int64

    package var byteCount: Int { self == .int32 ? 4 : 8 }
}

/// What the request says of its answer's form.
package struct AnswerLayout: Sendable {
    package let format: AnswerFormat
    package let indexDType: IndexDType
    /// Entries a row of a padded answer; nil for as many as the longest has.
    package let width: Int?

    package init(format: AnswerFormat, indexDType: IndexDType, width: Int? = nil) {
        self.format = format
        self.indexDType = indexDType
        self.width = width
    }
}

/// One decoded, validated request: what to compute and how to lay out the answer. Free of any
/// codec.
package struct InferenceRequest: Sendable {
    package let op: any Operator
    package let direction: Direction
    /// [B, n]; B = 1 for a single row.
    package let x: DenseRows
    /// Whether x came as one row [n]; the answer's shape follows.
    package let isSingleRow: Bool
    /// Cotangents for vjp, tangents for jvp: [G, B, n].
    package let stack: StackedRows?
    /// Whether they came with a leading axis G; the answer's shape follows.
    package let hasStackAxis: Bool
    package let parameters: ParameterValues
    /// Bytes of its numbers, which it holds until it is answered.
    package var heldBytes: Int {
        x.byteCount + (stack?.rows.byteCount ?? 0)
            + inputs.reduce(0) { $0 + ($1?.rows?.byteCount ?? 0) }
    }
    /// In the order of the descriptor's inputs.
    package let inputs: [InputTensor?]
    package let layout: AnswerLayout
    /// What is answered beside the answer.
    package let outputs: [TensorSpec]

    package init(
        op: any Operator, direction: Direction, x: DenseRows, isSingleRow: Bool,
        stack: StackedRows?, hasStackAxis: Bool, parameters: ParameterValues,
        inputs: [InputTensor?] = [], layout: AnswerLayout
    ) {
        self.op = op
        self.direction = direction
        self.x = x
        self.isSingleRow = isSingleRow
        self.stack = stack
        self.hasStackAxis = hasStackAxis
        self.parameters = parameters
        self.inputs = inputs
        self.layout = layout
        outputs = op.outputs(direction, parameters)
    }

    /// Bytes of an answer that has more numbers than x, while it is computed: they are kept as
    /// sparse rows, which nothing else bounds. 0 for other answers.
    package var answerBytes: Int {
        guard op.addsAxis && direction == .forward else { return 0 }
        let numbers = x.rowCount * answerShape.rowsPerInputRow * answerShape.rowLength
        return numbers * (x.dtype.byteCount + MemoryLayout<Int32>.stride)
    }

    /// G, or 1.
    package var stackCount: Int { stack?.stackCount ?? 1 }

    /// The last axes of the answer; products with the transposed Jacobian are shaped like x.
    package var answerShape: AnswerShape {
        direction != .vjp
            ? op.answerShape(rowLength: x.rowLength, parameters)
            : AnswerShape(rowsPerInputRow: 1, rowLength: x.rowLength, addsAxis: false)
    }

    /// The answer's shape: [G,] [B,] n or [B,] n, k.
    package var shape: [Int] {
        var shape: [Int] = []
        if hasStackAxis { shape.append(stackCount) }
        if !isSingleRow { shape.append(x.rowCount) }
        let last = answerShape
        if last.addsAxis { shape.append(last.rowsPerInputRow) }
        return shape + [last.rowLength]
    }
}
