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
        var best = 0
        for i in 0..<count where slopes[i] > slopes[best] { best = i }
        steepest = best
        largest = slopes[best]
    }

    /// mask, either direction (it is symmetric), in place: c := D (c - sum(D c)/sum(D)).
    /// - Returns: <c, dy/dlambda> = -sum(g u), of the cotangent that came.
    func applyMask(_ c: UnsafeMutablePointer<Double>) -> Double {
        guard largest > 0 else {
            for i in 0..<count { c[i] = 0 }
            return 0
        }
        let origin = c[steepest]
        var total = 0.0
        for i in 0..<count { total += slopes[i] / largest }
        var average = 0.0
        for i in 0..<count { average += slopes[i] / largest / total * (c[i] - origin) }
        var lambdaGradient = 0.0
        for i in 0..<count {
            c[i] = slopes[i] == 0 ? 0 : (slopes[i] * ((c[i] - origin) - average)).finite
            // Relative to one level: sum(g) = 0 but for rounding.
            lambdaGradient -= (c[i] * (levels[i] - levels[steepest])).finite
        }
        return lambdaGradient.finite
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
        // a - c* = (sum(D (c - c*)) + sum(c) - K c*) / (sum(D) + K) with c* of the steepest entry.
        let scale = max(1, largest)
        let origin = c[steepest]
        var total = weight / scale
        var average = -weight / scale * origin
        for i in 0..<count where slopes[i] > 0 {
            total += slopes[i] / scale
            average += slopes[i] / scale * (c[i] - origin)
            average += c[i] / scale
        }
        average /= total
        var lambdaGradient = 0.0
        for i in 0..<count where slopes[i] > 0 {
            let correction = (slopes[i] * ((c[i] - origin) - average)).finite
            c[i] = (c[i] + correction).finite
            lambdaGradient -= (correction * levels[i]).finite
        }
        return lambdaGradient.finite
    }

    /// magnitude, in place: t := (1+D) (t - sum(D t) / (sum(D) + K)) on active entries; capped ones
    /// pass t on.
    func applyMagnitude(_ t: UnsafeMutablePointer<Double>) {
        if let factor = singleFactor {
            t[0] *= factor
            return
        }
        let scale = max(1, largest)
        let origin = t[steepest]
        var total = weight / scale
        var average = -weight / scale * origin
        for i in 0..<count where slopes[i] > 0 {
            total += slopes[i] / scale
            average += slopes[i] / scale * (t[i] - origin)
        }
        average /= total
        for i in 0..<count where slopes[i] > 0 {
            let difference = (t[i] - origin) - average
            t[i] = (difference + slopes[i] * difference).finite
        }
    }

    /// dy/dx of a magnitude block of one entry: (1 + D) K / (D + K), which is K as D grows.
    private var singleFactor: Double? {
        guard count == 1 && slopes[0] > 0 else { return nil }
        return weight * (1 + 1 / slopes[0]) / (1 + weight / slopes[0])
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
