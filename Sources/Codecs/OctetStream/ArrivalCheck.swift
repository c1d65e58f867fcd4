import Inference
import Operators

/// Looks at the numbers of a raw body while they arrive, and are in the cache: of a row of
/// millions, reading it once more from memory would take as long as the operator does.
///
/// Used by the thread that receives, then by the one that decodes: the scheduler's lock lies
/// between.
package final class ArrivalCheck: @unchecked Sendable {
    private let body: RawBuffer
    private let dtype: DType
    private var checkedCount = 0
    private var isFinite = true

    init(_ body: RawBuffer, _ dtype: DType) {
        self.body = body
        self.dtype = dtype
    }

    /// The first `byteCount` bytes of the body are there.
    package func arrived(byteCount: Int) {
        let count = byteCount / dtype.byteCount - checkedCount
        guard isFinite && count > 0 else { return }
        isFinite = dtype.areFinite(body.memory + checkedCount * dtype.byteCount, count: count)
        checkedCount += count
    }

    /// Whether these are all of the body's numbers, and they are finite.
    func hasFound(finite dtype: DType, _ body: RawBuffer) -> Bool {
        self.dtype == dtype && self.body === body && isFinite
            && checkedCount * dtype.byteCount == body.count
    }
}
