import Glibc

/// Solves the one monotone equation behind a sparse top-k row (arXiv:2302.01425, section 4;
/// MATH.md, "the threshold view"): with w = 1_k at most one block of the isotonic problem is ever
/// merged.
///
///     mask:       sum_i min(u_i^e, 1)     = k,          u_i = max(0, s_i - tau) / lambda
///     magnitude:  sum_i min(u_i^e, theta) = k theta,    u_i = max(0, s_i - theta) / lambda
///
/// Legend: s scores, e = q - 1 = 1/(p-1), tau or theta the threshold, k entries to select.
/// The unknown is not the threshold itself but t = (anchor - threshold) / lambda, with
/// u_i = z_i + t and z_i = (s_i - anchor) / lambda. With the anchor next to the root nothing
/// cancels.
struct ThresholdSolver<Power: PowerRule> {
    let power: Power
    let scores: UnsafeMutablePointer<Double>
    let offsets: UnsafeMutablePointer<Double>
    let count: Int
    let k: Double
    let lambda: Double
    let isMagnitude: Bool
    /// From any bracket to neighbouring doubles `middle` takes at most 67 steps to leave 0 (2^-16
    /// each), 11 in the logarithm and 54 in the value; two Newton passes may come before each.
    private let passesMax = 3 * (67 + 11 + 54)
    /// The score that z is measured from.
    private(set) var anchor = 0.0

    init(
        _ power: Power, scores: UnsafeMutablePointer<Double>,
        offsets: UnsafeMutablePointer<Double>, count: Int, k: Int, lambda: Double,
        isMagnitude: Bool
    ) {
        precondition(lambda > 0 && k >= 1 && k < count)
        self.power = power
        self.scores = scores
        self.offsets = offsets
        self.count = count
        self.k = Double(k)
        self.lambda = lambda
        self.isMagnitude = isMagnitude
    }

    /// Sets the anchor and z.
    mutating func setAnchor(_ value: Double) {
        anchor = value
        for i in 0..<count { offsets[i] = (scores[i] - value) / lambda }
    }

    /// The weight at which an entry is fully selected: 1 for mask, theta for magnitude.
    @inline(__always)
    func cap(_ t: Double) -> Double { isMagnitude ? anchor - lambda * t : 1 }

    /// F(t) = sum_i min(u_i^e, cap) - k cap (non-decreasing in t) and the Newton step on its e-th
    /// root.
    private struct Evaluation {
        let excess: Double
        let scale: Double
        let step: Double
    }

    /// Newton on ||u||_e - (K cap)^(1/e) rather than on the sum: the norm is convex (concave for
    /// e < 1) and almost linear, so that e = 3 needs 2 steps where the sum takes 13.
    private func evaluate(_ t: Double) -> Evaluation {
        let cap = cap(t)
        var sum = 0.0
        var slope = 0.0
        var capped = 0.0
        for i in 0..<count {
            let u = offsets[i] + t
            if u > 0 {
                let value = power(u)
                if value.power >= cap {
                    capped += 1
                } else {
                    sum += value.power
                    slope += value.slope
                }
            }
        }
        let target = (k - capped) * cap
        let ratio = target / sum
        let e = power.e
        let root = e == 1 ? ratio : e == 3 ? cbrt(ratio) : pow(ratio, 1 / e)
        let capSlope = isMagnitude ? lambda / cap : 0
        let step = (root - 1) / (slope / (e * sum) + root * capSlope / e)
        return Evaluation(excess: sum - target, scale: target, step: target > 0 ? step : .nan)
    }

    /// F(t): negative below the root, positive above.
    func excess(_ t: Double) -> Double { evaluate(t).excess }

    /// The root in [low, high], where F(low) <= 0 <= F(high).
    ///
    /// Safeguarded Newton. Every pass shrinks the bracket; every third pass that has not shrunk it
    /// a thousandfold is a bisection, so the bracket closes whatever the scores are. 3 to 6 passes
    /// are usual; `passesMax` is a bound that no test has reached.
    func solve(low: Double, high: Double) -> Double {
        var low = low
        var high = high
        var t = middle(low, high)
        var widthToBeat = (high - low) / 1024
        for pass in 1...passesMax {
            let at = evaluate(t)
            if at.excess == 0 { return t }
            if at.excess < 0 { low = t } else { high = t }
            var next = t + at.step
            // Close enough that one more Newton step is exact: stop after it.
            if abs(at.excess) <= 0x1p-50 * at.scale || abs(at.step) <= 0x1p-51 * abs(t) {
                return next > low && next < high ? next : t
            }
            if pass % 3 == 0 {
                if high - low > widthToBeat { next = .nan }
                widthToBeat = (high - low) / 1024
            }
            if !(next > low && next < high) { next = middle(low, high) }
            if next <= low || next >= high { break }
            if power.e >= 1 && max(abs(low), abs(high)) < 0x1p-60 { break }
            t = next
        }
        return high
    }

    /// A point that halves the bracket, in the logarithm where its ends differ by orders of
    /// magnitude.
    private func middle(_ low: Double, _ high: Double) -> Double {
        if low < 0 && high > 0 { return 0 }
        let small = min(abs(low), abs(high))
        let large = max(abs(low), abs(high))
        let sign = high > 0 ? 1.0 : -1.0
        if large <= 4 * small { return low + (high - low) / 2 }
        if small == 0 { return sign * large * (power.e >= 1 ? 0.5 : 0x1p-16) }
        return sign * small.squareRoot() * large.squareRoot()
    }

    /// For e < 1 the weight u^e has an infinite slope at 0, so the smallest active u must be exact
    /// to its last digit: measure t from that entry itself, and solve again in the few ulps left.
    mutating func refine(_ t: Double) -> Double {
        // A little above the root, so that an entry whose u was rounded to 0 is looked at, too.
        var t = t + 0x1p-50 * abs(t)
        // Distinct scores within these few ulps are few; the loop is a bound, not a search.
        for _ in 0..<8 {
            var smallest = Double.infinity
            var nearest = 0
            for i in 0..<count where offsets[i] + t > 0 && offsets[i] + t < smallest {
                smallest = offsets[i] + t
                nearest = i
            }
            guard smallest < 0x1p-10 * abs(t) else { return t }
            setAnchor(scores[nearest])
            if evaluate(0).excess >= 0 {
                // The root lies at or below this entry's kink: it is not active after all.
                t = 0
                continue
            }
            var high = max(4 * smallest, .leastNormalMagnitude)
            while evaluate(high).excess < 0 && high < 2 { high *= 16 }
            return solve(low: 0, high: high)
        }
        return t
    }
}
