import CKernels
import Glibc

/// Solves one row of SOFT top-k: y_i = sigma((x_i - t) / tau) with sum y = k, for real k.
///
/// This is the entropic optimal transport between n entries and two anchors (Xie et al. 2020,
/// arXiv:2002.06504), whose plan has this closed form; Sinkhorn's loop only approximates it.
/// Legend: c the centre, s = exp(u), u = (t - c) / tau, q the share of the other side: y below c,
/// 1 - y above it.
///
/// O(n) for each of the few passes of `solve`, and a selection.
struct SoftThreshold {
    /// Where the row was solved: s = exp((t - c) / tau).
    struct Root<S: SoftScalar> {
        let entries: SoftEntries<S>
        let threshold: Double
        let s: Double
    }

    let k: Double
    let tau: Double

    /// Beyond this, the entries are measured anew from the threshold: s = exp(u) must stay finite,
    /// and its error grows with u.
    private static let reach = 30.0
    private static let passesMax = 200

    /// 0 < k < finiteCount. The row is left in `e`, with room for whole lines of 16, as entries E.
    ///
    /// - Parameter index: of the row among those that `scratch.shortTops` has looked at.
    ///
    /// f(u) = sum q below - sum q above - (k - count above) falls from positive to negative: a root
    /// is enclosed as the passes go. Near it, the cubic Taylor polynomial of f is solved (its error
    /// is a fourth power). Far from it, where an entry's share falls off exponentially, Newton's
    /// method runs on the logarithms of both sides, which are nearly straight lines there. A step
    /// that leaves the bracket halves it instead.
    func solve<S: SoftScalar>(
        _ row: UnsafeBufferPointer<S>, finiteCount: Int, _ index: Int, _ scratch: SoftTopKScratch,
        into e: UnsafeMutablePointer<S>
    ) -> Root<S> {
        var isSampled = true
        var entries: SoftEntries<S>
        if let centre = sampledCentre(row, scratch) {
            entries = SoftEntries(
                row, from: centre, tau: tau, .none, scratch, into: e)
        } else {
            isSampled = false
            entries = measured(row, finiteCount: finiteCount, index, scratch, into: e)
        }
        var u = 0.0
        var low = -Double.infinity
        var high = Double.infinity
        scratch.passCount = 0
        while scratch.passCount < Self.passesMax {
            if abs(u) > Self.reach, let moved = self.moved(entries, to: u, row, scratch, e) {
                let distance = (moved.centre - entries.centre) / tau
                entries = moved
                low -= distance
                high -= distance
                u -= distance
            }
            scratch.passCount += 1
            let s = u == 0 ? 1 : exp(min(max(u, -700), 700))
            let sums = entries.sums(s)
            let demand = k - Double(sums.above)
            let excess = sums.excess - demand
            // Every entry is decided, to the last digit: any threshold of the gap will do.
            if excess == 0 { break }
            if excess > 0 { low = u } else { high = u }
            let isNear = abs(excess) < sums.slope
            let length =
                isNear
                ? Self.shortStep(sums, excess)
                : Self.longStep(entries.sides(s), isUp: excess > 0, demand)
            // The polynomial's error is below d^4 / 24 of its slope: beyond the last digit.
            let isLast = isNear && abs(length) < (S.isStored(as: .float64) ? 1e-3 : 0.02)
            let target = u + length
            if isSampled && !SoftEntries<S>.isNear(exp(min(max(target, -700), 700))) {
                // The sample was wrong, or tau is small beside the gaps.
                isSampled = false
                entries = measured(row, finiteCount: finiteCount, index, scratch, into: e)
                (u, low, high) = (0, -.infinity, .infinity)
                continue
            }
            if isLast {
                // Beside the root, the bracket's ends are as good as it.
                u = min(max(target, low), high)
                break
            }
            if target > low && target < high {
                u = target
            } else if low.isFinite && high.isFinite {
                let middle = (low + high) / 2
                if middle == u || high - low < 1e-13 { break }
                u = middle
            } else {
                u += excess > 0 ? Self.reach : -Self.reach
            }
        }
        let limit = Double.greatestFiniteMagnitude
        return Root(
            entries: entries, threshold: min(max(entries.centre + tau * u, -limit), limit),
            s: exp(min(max(u, -700), 700)))
    }

    /// The row measured from its exact centre.
    private func measured<S: SoftScalar>(
        _ row: UnsafeBufferPointer<S>, finiteCount: Int, _ index: Int, _ scratch: SoftTopKScratch,
        into e: UnsafeMutablePointer<S>
    ) -> SoftEntries<S> {
        let start = centre(row, hasInfinity: finiteCount < row.count, index, scratch)
        return SoftEntries(
            row, from: start.centre, tau: tau, start.side, scratch, into: e)
    }

    /// The row measured anew from the threshold, if that is another place: beside a large centre a
    /// step may vanish, and a huge one is no number, while exp(u) still is.
    private func moved<S: SoftScalar>(
        _ entries: SoftEntries<S>, to u: Double, _ row: UnsafeBufferPointer<S>,
        _ scratch: SoftTopKScratch, _ e: UnsafeMutablePointer<S>
    ) -> SoftEntries<S>? {
        let next = entries.centre + tau * u
        let moved = (next - entries.centre) / tau
        guard abs(next) < 0x1p1020 && abs(moved) > abs(u) / 2 else { return nil }
        return SoftEntries(
            row, from: next, tau: tau, .none, scratch, into: e)
    }

    /// About the k-th largest of a long row, from a sample of its lines: near the threshold, unless
    /// the row has an order or tau is small. nil where the sample says too little.
    private func sampledCentre<S: SoftScalar>(
        _ row: UnsafeBufferPointer<S>, _ scratch: SoftTopKScratch
    ) -> Double? {
        guard row.count >= Self.sampledMin, let x = row.baseAddress else { return nil }
        let share = k / Double(row.count)
        let line = Int(CKernels_lanes)
        let lines = min(Int(Self.sampledRank / share), row.count / 16) / line
        let rank = Int(share * Double(lines * line))
        guard rank >= Self.sampledRankMin && share < 0.5 else { return nil }
        let sample = UnsafeMutableRawPointer(scratch.sample.reserve(lines * line))
            .assumingMemoryBound(to: S.self)
        let stride = row.count / lines
        for i in 0..<lines {
            (sample + i * line).update(from: x + i * stride, count: line)
        }
        let centre = Double(S.lowerBound(sample, count: lines * line, k: rank))
        return centre.isFinite ? centre : nil
    }

    private static let sampledMin = 1 << 15
    /// Of the threshold, in the sample: it is off by a fifth or a fourth.
    private static let sampledRank = 20.0
    private static let sampledRankMin = 16

    /// Midway between the floor(k)-th largest and the next; with a fraction of k, the next, which
    /// counts as above the centre if the fraction is more than half: whichever leaves less to be
    /// made up by differences.
    private func centre<S: SoftScalar>(
        _ row: UnsafeBufferPointer<S>, hasInfinity: Bool, _ index: Int, _ scratch: SoftTopKScratch
    ) -> (centre: Double, side: SoftEntries<S>.Side) {
        let whole = Int(k)
        let fraction = k - Double(whole)
        if let next = scratch.shortTops.kth(whole + 1, row: index) {
            let kth = scratch.shortTops.kth(whole, row: index) ?? next
            return Self.centre(kth: kth, next: next, whole, fraction)
        }
        let count = Selection.gather(
            row, k: whole + 1, hasInfinity: hasInfinity, isAbsolute: false, &scratch.selection
        ) { $0 }
        let ranks = Ranks.select(
            scratch.selection.scores.pointer, count: count, k: max(whole, 1),
            scratch.selection.reordered.reserve(count))
        let next = whole > 0 ? ranks.next ?? ranks.kth : ranks.kth
        return Self.centre(kth: ranks.kth, next: next, whole, fraction)
    }

    private static func centre<S>(
        kth: Double, next: Double, _ whole: Int, _ fraction: Double
    ) -> (centre: Double, side: SoftEntries<S>.Side) {
        if whole > 0 && fraction == 0 { return (next / 2 + kth / 2, .none) }
        return (next, fraction > 0.5 ? .above : .below)
    }

    /// The root of f(u + d) = f - W d + B d^2 / 2 - (W - 6 Q) d^3 / 6, by Newton's method.
    private static func shortStep(_ sums: CKernels_SoftSums, _ excess: Double) -> Double {
        let sixth = (sums.slope - 6 * sums.squares) * (1.0 / 6)
        let inverse = 1 / sums.slope
        let r = excess * inverse
        // The inverse series; a small step of it needs but one of Newton's. After a large one comes
        // another pass: it need not be sharper than the polynomial.
        let bend = sums.bend * inverse / 2
        var d = r * (1 + r * (bend + r * (2 * bend * bend - sixth * inverse)))
        let isSmall = abs(r) < 0.125
        if !isSmall { d = r }
        for _ in 0..<(isSmall ? 1 : 2) {
            let value = excess + d * (-sums.slope + d * (sums.bend / 2 - d * sixth))
            let drop = d * (sums.bend - 3 * d * sixth)
            if isSmall {
                // Of 1 / (1 - drop / slope), enough: what is left is small.
                let share = drop * inverse
                d += value * inverse * (1 + share * (1 + share))
            } else {
                guard drop < sums.slope else { break }
                d -= value / (drop - sums.slope)
            }
        }
        return d
    }

    /// Newton's method on the logarithms of what is above the root and what is below it.
    private static func longStep(
        _ sides: CKernels_SoftSides, isUp: Bool, _ demand: Double
    ) -> Double {
        let ours = sides.below + max(0, -demand)
        let theirs = sides.above + max(0, demand)
        let decline = sides.slope_below / ours + sides.slope_above / theirs
        guard ours > 0 && theirs > 0 && decline > 0 else { return isUp ? reach : -reach }
        return min(max(log(ours / theirs) / decline, -4 * reach), 4 * reach)
    }
}
