import CKernels
import Glibc

/// Solves the one monotone equation behind a sparse top-k row (arXiv:2302.01425, section 4;
/// MATH.md, "the threshold view"): with w = 1_k at most one block of the isotonic problem is ever
/// merged.
///
///     mask:       sum_i min(u_i^e, 1)     = k,          u_i = max(0, s_i - tau) / lambda
///     magnitude:  sum_i min(u_i^e, theta) = k theta,    u_i = max(0, s_i - theta) / lambda
///
/// Legend: s scores, e = q - 1 = 1/(p-1), tau or theta the threshold, k entries to select.
/// The same for a block of a general P(w), whose entries are never capped: without the min, k the
/// sum of the block's w (see `Partition`).
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
    /// Whether no entry's weight may pass the cap.
    let isCapped: Bool
    /// Scores are multiplied by this power of two on their way in, see `Unit`.
    let scale: Double
    /// No call of `solve` takes more passes than this, whatever the scores are.
    ///
    /// Each pass moves one end of the bracket inwards: nothing that it gained is lost. Of nine
    /// passes in a row, three shrink the bracket 2^10-fold, or one is taken at `middle`.
    ///
    /// - The former happens at most (1024 + 1074) / 10 times: then the bracket is the least double.
    /// - `middle` leaves an end at 0 within 67 steps of 2^-16 (1074 bits), brings ends of one sign
    ///   within a factor of 4 in 11 (it halves the logarithm of their ratio, at most 2098), and
    ///   then halves the width: after 54 the ends are neighbours.
    private let passesMax = 9 * (210 + 67 + 11 + 54)
    /// Passes over the entries so far.
    private(set) var passCount = 0
    /// The score that z is measured from.
    private(set) var anchor = 0.0

    init(
        _ power: Power, scores: UnsafeMutablePointer<Double>,
        offsets: UnsafeMutablePointer<Double>, count: Int, k: Double, lambda: Double,
        isMagnitude: Bool, isCapped: Bool = true, scale: Double
    ) {
        precondition(lambda > 0 && k > 0 && (!isCapped || k < Double(count)))
        self.power = power
        self.scores = scores
        self.offsets = offsets
        self.count = count
        self.k = k
        self.lambda = lambda
        self.isMagnitude = isMagnitude
        self.isCapped = isCapped
        self.scale = scale
    }

    /// Sets the anchor and z.
    mutating func setAnchor(_ value: Double) {
        anchor = value
        CKernels_offsets(scores, count, scale, value, lambda, offsets)
    }

    /// Numbers that `offsets` needs room for: whole lines of SIMD lanes.
    static func paddedCount(_ count: Int) -> Int { (count + 15) / 16 * 16 }

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
    /// e < 1) and almost linear, so that e = 3 needs 2 steps where the sum takes 13. Where K theta
    /// changes faster than the sum does, as it does for large lambda, it is the other way round:
    /// the root of a theta near 0 has no slope, and F itself is almost linear.
    private mutating func evaluate(_ t: Double) -> Evaluation {
        passCount += 1
        let unit = cap(t)
        let cap = isCapped ? unit : .infinity
        let sums = Power.sums(offsets, Self.paddedCount(count), t, cap, power.e)
        let sum = sums.sum
        let active = k - sums.capped
        let target = active * unit
        let excess = sum - target
        guard target > 0 else { return Evaluation(excess: excess, scale: target, step: .nan) }
        if isMagnitude && active * lambda > sums.slope {
            let step = -excess / (sums.slope + active * lambda)
            return Evaluation(excess: excess, scale: target, step: step)
        }
        let ratio = target / sum
        let e = power.e
        let root =
            e == 1 ? ratio : e == 3 ? cubeRoot(ratio) : e == 0.5 ? ratio * ratio : pow(ratio, 1 / e)
        let capSlope = isMagnitude ? lambda / unit : 0
        let step = (root - 1) / (sums.slope / (e * sum) + root * capSlope / e)
        return Evaluation(excess: excess, scale: target, step: step)
    }

    /// a^(1/3), by Halley's iteration around 1, where a solver's ratios are: a fifth of the time of
    /// short rows went to cbrt.
    @inline(__always)
    private func cubeRoot(_ a: Double) -> Double {
        guard a > 0.125 && a < 8 else { return cbrt(a) }
        var root = (1 + 2 * a) / (2 + a)
        // Each step triples the digits.
        for _ in 0..<(a > 0.9 && a < 1.1 ? 2 : 3) {
            let cube = root * root * root
            root *= (cube + 2 * a) / (2 * cube + a)
        }
        return root
    }

    /// F(t): negative below the root, positive above.
    mutating func excess(_ t: Double) -> Double { evaluate(t).excess }

    /// The root in [low, high], where F(low) <= 0 <= F(high).
    ///
    /// Safeguarded Newton; every pass shrinks the bracket. Newton that comes from one side leaves
    /// the other end where it was: then the third pass steps twice as far, to close it, the sixth
    /// does so again, and the ninth bisects, so that the bracket closes whatever the scores are. 3
    /// to 6 passes are usual, 100 were seen for p > 2 on rows made to be hard; `passesMax` bounds
    /// them all.
    mutating func solve(low: Double, high: Double) -> Double {
        var low = low
        var high = high
        var t = middle(low, high)
        var widthToBeat = (high - low) / 1024
        var overshoots = 0
        for pass in 1...passesMax {
            let at = evaluate(t)
            if at.excess == 0 { return t }
            if at.excess < 0 { low = t } else { high = t }
            var next = t + at.step
            // Close enough that one more Newton step is exact: stop after it.
            let noise = 0x1p-52 * (4 + Double(count).squareRoot())
            // A small step alone says nothing beside a kink, where the slope may be infinite.
            let isStill = abs(at.step) <= 0x1p-51 * abs(t) && abs(at.excess) < at.scale / 2
            if abs(at.excess) <= noise * at.scale || isStill {
                return next > low && next < high ? next : t
            }
            if pass % 3 == 0 {
                overshoots = high - low > widthToBeat ? (overshoots + 1) % 3 : 0
                if high - low > widthToBeat { next = overshoots == 0 ? .nan : t + 2 * at.step }
                widthToBeat = (high - low) / 1024
            }
            if !(next > low && next < high) { next = middle(low, high) }
            if next <= low || next >= high { break }
            // Below this t is 0 to a mask; theta = -lambda t may well be that small.
            if power.e >= 1 && !isMagnitude && max(abs(low), abs(high)) < 0x1p-60 { break }
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

    /// For e < 1 the weight u^e has an infinite slope at 0, so entries around the threshold must be
    /// exact to their last digits: measure t from the nearest one, on either side, solve again in
    /// the few ulps left, and repeat until none is nearer.
    mutating func refine(_ t: Double) -> Double {
        var t = t
        // Each turn measures t from the entry nearest to the threshold: |t| falls 2^10-fold or
        // more.
        for _ in 0..<200 {
            var smallest = Double.infinity
            var nearest = 0
            for i in 0..<count where abs(offsets[i] + t) < smallest {
                smallest = abs(offsets[i] + t)
                nearest = i
            }
            guard smallest < 0x1p-10 * abs(t) else { return t }
            var reach = max(smallest, 0x1p-48 * abs(t))
            setAnchor(scores[nearest] * scale)
            let isAbove = evaluate(0).excess < 0
            var near = 0.0
            while reach < 0x1p100 {
                let excess = evaluate(isAbove ? reach : -reach).excess
                if isAbove ? excess >= 0 : excess <= 0 { break }
                near = reach
                reach *= 64
            }
            t = isAbove ? solve(low: near, high: reach) : solve(low: -reach, high: -near)
        }
        return t
    }
}
