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
/// codec. A class: every stage hands it on, and a copy would retain each of its parts.
package final class InferenceRequest: Sendable {
    package let form: RequestForm
    /// [B, n]; B = 1 for a single row.
    package let x: DenseRows
    /// Cotangents for vjp, tangents for jvp: [G, B, n].
    package let stack: StackedRows?
    /// In the order of the descriptor's inputs.
    package let inputs: [InputTensor?]

    /// x and the stack have the form's shape.
    package init(
        _ form: RequestForm, x: DenseRows, stack: StackedRows?, inputs: [InputTensor?] = []
    ) {
        precondition(x.rowCount == form.rowCount && x.rowLength == form.rowLength)
        precondition((stack?.stackCount ?? 1) == form.stackCount)
        self.form = form
        self.x = x
        self.stack = stack
        self.inputs = inputs
    }

    package var op: any Operator { form.op }
    package var direction: Direction { form.direction }
    package var parameters: ParameterValues { form.parameters }
    package var layout: AnswerLayout { form.layout }
    package var isSingleRow: Bool { form.isSingleRow }

    /// What the operator itself refuses.
    package func check() throws(OperatorError) {
        if form.isSound { return }
        try form.op.check(form.parameters, x.shape, inputs)
    }

    /// Computes some rows into `output`, which forgets what it had.
    func compute(
        _ rows: Range<Int>, _ cancellation: Cancellation, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        form.reset(output, rowCount: rows.count)
        let block = RowBlock(
            x: x, rows: rows, parameters: form.parameters, inputs: inputs,
            cancellation: cancellation)
        try form.op.run(form.direction, block, stack, into: output, workspace)
    }

    /// What was found of x while it arrived is of no more use.
    func releaseEarly() { x.releaseEarly() }

    /// Bytes of the buffers that its numbers lie in, which it holds until it is answered.
    package var heldBytes: Int {
        // Either all lie in the body, or each has a buffer of its own. Every answer asks for it.
        var bytes = x.storageBytes + x.earlyBytes
        if stack == nil && form.hasNoInputs { return bytes }
        if let rows = stack?.rows, rows.storage !== x.storage { bytes += rows.storage.capacity }
        for case .rows(let rows) in inputs where rows.storage !== x.storage {
            bytes += rows.storage.capacity
        }
        return bytes
    }
}
