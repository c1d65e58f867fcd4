import CKernels

/// The Jacobian of one segment of a solved row: a diagonal plus a rank-one term. MATH.md derives
/// all of it.
///
/// Legend: D slopes (0 on capped entries), u levels, K weight, c a cotangent, t a tangent. For
/// magnitude c and t are in signed terms: times sign(x), and 0 where x is 0.
///
/// D may be 1e16 and more (p > 2): D (c - average) is taken relative to the c of the steepest
/// entry, so that it cancels nowhere, and results are kept finite. c and t lie between 2^-900 and
/// 2^900: sums of 2^31 of them do not overflow.
struct Jacobian {
    private let slopes: UnsafePointer<Double>
    private let levels: UnsafePointer<Double>
    private let count: Int
    private let weight: Double
    private let steepest: Int
    /// max D; 0 where no entry is active.
    private let largest: Double

    init(_ support: borrowing Support, _ segment: Support.Segment) {
        slopes = UnsafePointer(support.slopes + segment.start)
        levels = UnsafePointer(support.levels + segment.start)
        count = segment.end - segment.start
        weight = segment.weight
        steepest = CKernels_steepest(slopes, count)
        largest = slopes[steepest]
    }

    /// mask, either direction (it is symmetric), in place: c := D (c - sum(D c)/sum(D)).
    /// - Returns: <c, dy/dlambda> = -sum(g u), of the cotangent that came.
    func applyMask(_ c: UnsafeMutablePointer<Double>) -> Double {
        guard largest > 0 else {
            for i in 0..<count { c[i] = 0 }
            return 0
        }
        return CKernels_mask_product(slopes, levels, count, steepest, c)
    }

    /// magnitude, transposed, in place: c := c + D (c - a), a = sum((1+D) c) / (sum(D) + K) on
    /// active entries; capped ones pass c on.
    /// - Returns: <c, dy/dlambda> = -sum(D u (c - a)), of the cotangent that came.
    func applyMagnitudeTransposed(_ c: UnsafeMutablePointer<Double>) -> Double {
        if let factor = singleFactor {
            let change = (factor - 1) * c[0]
            c[0] *= factor
            return -(change * levels[0]).finite
        }
        guard largest > 0 else { return 0 }
        // a - c* = (sum(D (c - c*)) + sum(c) - K c*) / (sum(D) + K) with c* of the steepest entry.
        return CKernels_magnitude_product(slopes, levels, count, steepest, weight, true, c)
    }

    /// magnitude, in place: t := (1+D) (t - sum(D t) / (sum(D) + K)) on active entries; capped ones
    /// pass t on.
    func applyMagnitude(_ t: UnsafeMutablePointer<Double>) {
        if let factor = singleFactor {
            t[0] *= factor
            return
        }
        guard largest > 0 else { return }
        _ = CKernels_magnitude_product(slopes, levels, count, steepest, weight, false, t)
    }

    /// dy/dx of a magnitude block of one entry: (1 + D) K / (D + K), which is K as D grows.
    private var singleFactor: Double? {
        guard count == 1 && slopes[0] > 0 else { return nil }
        // Neither 1 / D nor K D may overflow on the way.
        let slope = slopes[0]
        return slope < 1
            ? (1 + slope) * (weight / (slope + weight))
            : (1 + 1 / slope) * (weight / (1 + weight / slope))
    }

    /// D / (sum(D) + K): b of the compact Jacobian. K = 0 for mask and values.
    func shares(into b: UnsafeMutablePointer<Double>, weight: Double) {
        guard largest > 0 else {
            for i in 0..<count { b[i] = 0 }
            return
        }
        var total = weight / largest
        for i in 0..<count { total += slopes[i] / largest }
        for i in 0..<count { b[i] = slopes[i] / largest / total }
    }
}
