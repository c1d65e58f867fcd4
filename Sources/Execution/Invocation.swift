import Operators

/// One decoded, validated request: what to compute, of what, and how to lay out the answer. Made by
/// `InvocationBuilder`, or after one that it made (`PreparedRequest`); free of any protocol.
package final class Invocation: Sendable {
    package let form: InvocationForm
    /// [B, n], B = 1 for a single row; no rows where the procedure takes no x.
    package let x: DenseRows
    /// Cotangents for vjp, tangents for jvp: [G, B, n].
    package let stack: StackedRows?
    /// What comes beside x, in the order of the operator's own inputs; nil where one did not come.
    package let inputs: [InputTensor?]

    init(
        _ form: InvocationForm, x: DenseRows, stack: StackedRows?, inputs: [InputTensor?]
    ) {
        precondition(x.rowCount == form.rowCount && x.rowLength == form.rowLength)
        precondition((stack?.stackCount ?? 1) == form.stackCount)
        self.form = form
        self.x = x
        self.stack = stack
        self.inputs = inputs
    }

    /// Computes some rows into `output`, which forgets what it had.
    func compute(
        _ rows: Range<Int>, _ context: RunContext, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        form.reset(output, rowCount: rows.count)
        switch form.procedure.work {
        case .rows(let op, let direction):
            let block = RowBlock(
                x: x, rows: rows, parameters: form.parameters, inputs: inputs, context: context)
            try op.run(direction, block, stack, into: output, workspace)
        case .document(let work):
            output.document = try work.run(form.parameters, inputs, context)
        }
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
