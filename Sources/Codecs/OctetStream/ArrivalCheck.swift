import Inference
import Operators

/// Looks at the numbers of a raw body while they arrive, and are in the cache: of a row of
/// millions, reading it once more from memory would take as long as the operator does.
///
/// Used by the thread that receives, then by the one that decodes: the scheduler's lock lies
/// between.
package final class ArrivalCheck: @unchecked Sendable {
    /// How the body is read.
    let plan: Plan
    private let body: RawBuffer
    private let byteCount: Int
    private var checkedCount = 0
    private var isFinite = true
    /// nil where there is no use for them, also from the first number on that is not finite.
    private var maxima: EarlyMaxima?

    init(_ body: RawBuffer, byteCount: Int, _ plan: Plan, _ pool: BufferPool) {
        self.body = body
        self.byteCount = byteCount
        self.plan = plan
        let form = plan.form
        let shape = BatchShape(rowCount: form.rowCount, rowLength: form.rowLength)
        maxima = form.op.selecting(form.parameters).flatMap { selecting in
            EarlyMaxima(selecting, body, dtype: form.dtype, shape) { pool.take(byteCount: $0) }
        }
    }

    /// The first `byteCount` bytes of the body are there.
    package func arrived(byteCount: Int) {
        let dtype = plan.form.dtype
        let count = byteCount / dtype.byteCount - checkedCount
        guard isFinite && count > 0 else { return }
        isFinite = dtype.areFinite(body.memory + checkedCount * dtype.byteCount, count: count)
        checkedCount += count
        if isFinite { maxima?.arrived(byteCount: byteCount) } else { maxima = nil }
    }

    /// Whether it looked at this body.
    func isOf(_ body: RawBuffer) -> Bool { self.body === body && byteCount == body.count }

    /// Whether all of the body's numbers are here, and finite.
    var hasFoundFinite: Bool { isFinite && checkedCount * plan.form.dtype.byteCount == byteCount }

    /// What was found of x, if that is so.
    var early: EarlyMaxima? { hasFoundFinite ? maxima : nil }
}
