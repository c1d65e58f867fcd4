import Operators

/// How the answer's numbers are laid out.
package enum AnswerFormat: String, CaseIterable, Sendable {
    case csr
    case dense
}

/// The type of indptr and indices on the wire.
package enum IndexDType: String, CaseIterable, Sendable {
    case int32
    case int64

    package var byteCount: Int { self == .int32 ? 4 : 8 }
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
    /// [G, B, n] for vjp.
    package let cotangents: StackedRows?
    /// Whether the cotangent came with a leading axis G; the answer's shape follows.
    package let hasStackAxis: Bool
    package let parameters: ParameterValues
    /// In the order of the descriptor's inputs.
    package let inputs: [DenseRows?]
    package let format: AnswerFormat
    package let indexDType: IndexDType

    package init(
        op: any Operator, direction: Direction, x: DenseRows, isSingleRow: Bool,
        cotangents: StackedRows?, hasStackAxis: Bool, parameters: ParameterValues,
        inputs: [DenseRows?] = [], format: AnswerFormat, indexDType: IndexDType
    ) {
        self.op = op
        self.direction = direction
        self.x = x
        self.isSingleRow = isSingleRow
        self.cotangents = cotangents
        self.hasStackAxis = hasStackAxis
        self.parameters = parameters
        self.inputs = inputs
        self.format = format
        self.indexDType = indexDType
    }

    /// G, or 1.
    package var stackCount: Int { cotangents?.stackCount ?? 1 }

    /// The last axes of the answer; a gradient is shaped like x.
    package var answerShape: AnswerShape {
        direction == .forward
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
