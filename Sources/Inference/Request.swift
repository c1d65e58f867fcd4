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
/// codec. A class: every stage hands it on, and a copy would retain ten of its parts.
package final class InferenceRequest: Sendable {
    package let op: any Operator
    /// Its name: asked for often, and its whole descriptor would be copied.
    package let operatorName: String
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
    /// Bytes of the buffers that its numbers lie in, which it holds until it is answered.
    package var heldBytes: Int {
        // Either all lie in the body, or each has a buffer of its own. Every answer asks for it.
        var bytes = x.storage.capacity
        if let rows = stack?.rows, rows.storage !== x.storage { bytes += rows.storage.capacity }
        for case .rows(let rows) in inputs where rows.storage !== x.storage {
            bytes += rows.storage.capacity
        }
        return bytes
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
        operatorName = op.descriptor.name
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

    /// Bytes that computing takes beside its numbers, where they are many: what each row takes in
    /// each output, and answers that have more numbers than x with what they are computed from. The
    /// numbers of sparse rows are not among them: nobody knows before how many there will be.
    package var computingBytes: Int {
        let rowCount = x.rowCount * stackCount
        // An offset, and for outputs of a number a row that number and its column.
        let perRow = 16 + 24 * outputs.count
        var bytes = rowCount * perRow
        if op.addsAxis {
            // Forward's shape, whatever the direction: gradients solve the same row.
            let matrix = op.answerShape(rowLength: x.rowLength, parameters)
            // One row's plan and its sums in float64, and the answer's rows.
            bytes += 32 * matrix.rowsPerInputRow * (matrix.rowLength + 1)
            let rows = direction == .forward ? x.rowCount * matrix.rowsPerInputRow : 0
            bytes += rows * (matrix.rowLength * (x.dtype.byteCount + 4) + 8)
        }
        return bytes > Self.computingBytesMin ? bytes : 0
    }

    /// Less is not counted: requests of a few KB are many.
    private static let computingBytesMin = 1 << 20

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
        shape.reserveCapacity(4)
        if hasStackAxis { shape.append(stackCount) }
        if !isSingleRow { shape.append(x.rowCount) }
        let last = answerShape
        if last.addsAxis { shape.append(last.rowsPerInputRow) }
        shape.append(last.rowLength)
        return shape
    }

    /// The same with commas between.
    package var shapeText: String {
        var text = ""
        for length in shape {
            if !text.isEmpty { text += "," }
            text += String(length)
        }
        return text
    }
}
