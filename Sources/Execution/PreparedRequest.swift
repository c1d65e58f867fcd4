import Operators

/// A hook for speed (docs/design/hooks.md): what a trainer's requests have in common from step to
/// step, kept with their target. Of bare bodies (x, then what is stacked on it) of one length, the
/// next request needs nothing but two views. Reading the query anew takes longer than computing
/// 4 KB.
package final class PreparedRequest: Sendable {
    package let form: InvocationForm
    /// Bytes of the bodies that it can read.
    package let bodyBytes: Int

    /// nil where a body does not consist of x and its stack alone.
    ///
    /// - Parameter invocation: of a request whose body had `bodyBytes` bytes.
    package init?(_ invocation: Invocation, bodyBytes: Int) {
        let form = invocation.form
        guard form.hasNoInputs, case .rows = form.procedure.work, invocation.x.byteOffset == 0,
            bodyBytes == invocation.x.byteCount + (invocation.stack?.rows.byteCount ?? 0)
        else { return nil }
        self.form = form
        self.bodyBytes = bodyBytes
    }

    /// The invocation of another body; nil if that has another length.
    package func invocation(_ body: RawBuffer, _ observer: BodyObserver?) -> Invocation? {
        guard body.count == bodyBytes else { return nil }
        let isFinite = observer?.hasFoundFinite ?? false
        let x = DenseRows(
            body, dtype: form.dtype, rowCount: form.rowCount, rowLength: form.rowLength,
            isKnownFinite: isFinite, early: observer?.early)
        var stack: StackedRows?
        if x.byteCount < bodyBytes {
            let rowCount = form.rowCount * form.stackCount
            let count = (bodyBytes - x.byteCount) / form.dtype.byteCount
            stack = StackedRows(
                DenseRows(
                    body, byteOffset: x.byteCount, dtype: form.dtype, rowCount: rowCount,
                    rowLength: count / rowCount, isKnownFinite: isFinite),
                stackCount: form.stackCount)
        }
        return Invocation(form, x: x, stack: stack, inputs: form.noInputs)
    }
}
