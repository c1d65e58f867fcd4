import Operators

/// A hook for speed (docs/design/hooks.md): looks at the numbers of a bare raw body while they
/// arrive, and are in the cache. Reading a row of millions once more from memory would take as long
/// as the operator does.
///
/// Used by the thread that receives, then by the one that decodes: a lock lies between.
package final class BodyObserver: @unchecked Sendable {
    private let form: InvocationForm
    private let body: RawBuffer
    private let byteCount: Int
    private var checkedCount = 0
    private var isFinite = true
    /// Maxima of groups of x, from which selection begins; nil where there is no use for them, also
    /// from the first number on that is not finite.
    private var maxima: EarlyMaxima?

    /// - Parameter byteCount: what the body will have.
    package init(
        _ body: RawBuffer, byteCount: Int, _ form: InvocationForm, _ pool: BufferPool
    ) {
        self.body = body
        self.byteCount = byteCount
        self.form = form
        guard case .rows(let op, _) = form.procedure.work else { return }
        let shape = BatchShape(rowCount: form.rowCount, rowLength: form.rowLength)
        maxima = Selecting(op, form.parameters).flatMap { selecting in
            EarlyMaxima(selecting, body, dtype: form.dtype, shape) { pool.take(byteCount: $0) }
        }
    }

    /// The first `byteCount` bytes of the body are there.
    package func arrived(byteCount: Int) {
        let dtype = form.dtype
        let count = byteCount / dtype.byteCount - checkedCount
        guard isFinite && count > 0 else { return }
        isFinite = dtype.areFinite(body.memory + checkedCount * dtype.byteCount, count: count)
        checkedCount += count
        if isFinite { maxima?.arrived(byteCount: byteCount) } else { maxima = nil }
    }

    /// Whether all of the body's numbers are here, and finite.
    package var hasFoundFinite: Bool {
        isFinite && checkedCount * form.dtype.byteCount == byteCount
    }

    /// What was found of x, if that is so.
    var early: EarlyMaxima? { hasFoundFinite ? maxima : nil }
}
