import CKernels

/// The Jacobians of the segments of solved rows: for each, a diagonal plus a rank-one term. MATH.md
/// derives all of it.
///
/// Legend: D slopes (0 on capped entries), u levels, K weight, c a cotangent, t a tangent. For
/// magnitude c and t are in signed terms: times sign(x), and 0 where x is 0.
///
/// D may be 1e16 and more (p > 2): D (c - average) is taken relative to the c of the steepest
/// entry, so that it cancels nowhere, and results are kept finite. c and t lie between 2^-900 and
/// 2^900: sums of 2^31 of them do not overflow.
struct Jacobian {
    private let segments: CKernels_Jacobians
    private let entries: Range<Int>
    private let gradients: UnsafeMutablePointer<Double>

    /// - Parameter gradients: room for a number a segment.
    init(
        _ support: borrowing Support, _ part: Support.Part,
        _ gradients: UnsafeMutablePointer<Double>
    ) {
        segments = CKernels_Jacobians(
            slopes: support.slopes, levels: support.levels,
            segments: support.segments + part.segments.lowerBound, count: part.segments.count)
        entries = part.entries
        self.gradients = gradients
    }

    /// mask, either direction (it is symmetric), in place: c := D (c - sum(D c)/sum(D)). Leaves
    /// <c, dy/dlambda> = -sum(g u) of each segment, of the cotangent that came, in `gradients`.
    func applyMask(_ c: UnsafeMutablePointer<Double>) {
        withUnsafePointer(to: segments) {
            CKernels_mask_product($0, c - entries.lowerBound, gradients)
        }
    }

    /// magnitude, in place, on active entries; capped ones pass c or t on. Transposed:
    /// c := c + D (c - a), a = sum((1+D) c) / (sum(D) + K), and <c, dy/dlambda> = -sum(D u (c - a))
    /// in `gradients`. Otherwise t := (1+D) (t - sum(D t) / (sum(D) + K)).
    func applyMagnitude(_ c: UnsafeMutablePointer<Double>, isTransposed: Bool) {
        withUnsafePointer(to: segments) {
            CKernels_magnitude_product($0, isTransposed, c - entries.lowerBound, gradients)
        }
    }

    /// D / (sum(D) + K): b of the compact Jacobian. K = 0 for mask and values.
    func shares(into b: UnsafeMutablePointer<Double>, countsWeight: Bool) {
        for segment in UnsafeBufferPointer(start: segments.segments, count: segments.count) {
            let count = segment.end - segment.start
            guard let slopes = segments.slopes else { return }
            let largest = CKernels_largest_magnitude(slopes + segment.start, count)
            var total = countsWeight && largest > 0 ? segment.weight / largest : 0
            for i in segment.start..<segment.end where largest > 0 { total += slopes[i] / largest }
            for i in segment.start..<segment.end {
                b[i - entries.lowerBound] = largest > 0 ? slopes[i] / largest / total : 0
            }
        }
    }
}
