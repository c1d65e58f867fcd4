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
    /// Where the row was solved: its entries are left as distances from `centre`.
    struct Root {
        let centre: Double
        let u: Double
        let s: Double
        let tau: Double

        /// t, kept within the finite numbers.
        var threshold: Double {
            let limit = Double.greatestFiniteMagnitude
            return min(max(centre + tau * u, -limit), limit)
        }
    }

    let k: Double
    let tau: Double

    /// Beyond this, the entries are measured anew from the threshold: s = exp(u) must stay finite,
    /// and its error grows with u.
    private static let reach = 30.0
    private static let passesMax = 200

    /// 0 < k < finiteCount. The row's distances are left in `distances`, which has room for whole
    /// lines of 16.
    ///
    /// - Parameter index: of the row among those that `workspace.shortTops` has looked at.
    ///
    /// f(u) = sum q below - sum q above - (k - count above) falls from positive to negative: a root
    /// is enclosed as the passes go. Near it, the cubic Taylor polynomial of f is solved (its error
    /// is a fourth power). Far from it, where an entry's share falls off exponentially, Newton's
    /// method runs on the logarithms of both sides, which are nearly straight lines there. A step
    /// that leaves the bracket halves it instead.
    func solve<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, finiteCount: Int, _ index: Int, _ workspace: Workspace,
        into distances: UnsafeMutablePointer<S>
    ) -> Root {
        var (centre, isAbove) = centre(
            row, hasInfinity: finiteCount < row.count, index, workspace)
        var entries = measure(row, from: centre, isAbove, workspace, into: distances)
        var demand = k - Double(entries.split.above)
        var u = 0.0
        var low = -Double.infinity
        var high = Double.infinity
        workspace.passCount = 0
        while workspace.passCount < Self.passesMax {
            let next = centre + tau * u
            // Beside a large centre a step may vanish, and a huge one is no number: exp(u) can
            // still be.
            let moved = (next - centre) / tau
            if abs(u) > Self.reach && abs(next) < 0x1p1020 && abs(moved) > abs(u) / 2 {
                centre = next
                low -= moved
                high -= moved
                u -= moved
                isAbove = false
                entries = measure(row, from: centre, isAbove, workspace, into: distances)
                demand = k - Double(entries.split.above)
            }
            workspace.passCount += 1
            let s = exp(min(max(u, -700), 700))
            let sums = entries.sums(s, isNear: abs(u) <= Self.nearReach)
            let excess = sums.excess - demand
            // Every entry is decided, to the last digit: any threshold of the gap will do.
            if excess == 0 { break }
            if excess > 0 { low = u } else { high = u }
            let isNear = abs(excess) < sums.slope
            let length =
                isNear
                ? Self.shortStep(sums, excess)
                : Self.longStep(
                    S.softSides(distances, count: row.count, s), isUp: excess > 0, demand)
            // The polynomial's error is below d^4 / 24 of its slope: beyond the last digit.
            let isLast = isNear && abs(length) < (S.isStored(as: .float64) ? 1e-3 : 0.02)
            let target = u + length
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
        return Root(centre: centre, u: u, s: exp(min(max(u, -700), 700)), tau: tau)
    }

    /// The row's distances, and those of them that a threshold near the centre is made of.
    private struct Entries<S: KernelScalar> {
        let distances: UnsafePointer<S>
        let count: Int
        let near: UnsafePointer<S>
        let split: CKernels_SoftSplit

        /// - Parameter isNear: whether s is between 1 / 4 and 4. Then what is far below the centre
        ///   has r = e / s <= 2^-12 (2^-26 in float64), and a share of r - r^2, to rounding.
        func sums(_ s: Double, isNear: Bool) -> CKernels_SoftSums {
            guard isNear && split.near != Int(bitPattern: UInt.max) else {
                return S.softSums(distances, count: count, s)
            }
            var sums = S.softSums(near, count: split.near, s)
            let first = split.sum / s
            let second = split.squares / s / s
            sums.excess += first - second
            sums.slope += first - 2 * second
            sums.bend += first - 4 * second
            sums.squares += second
            return sums
        }
    }

    private static let nearReach = log(4.0)

    /// Measures the row from a centre; above it are those at it, too, if `isAbove`.
    private func measure<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, from centre: Double, _ isAbove: Bool,
        _ workspace: Workspace, into distances: UnsafeMutablePointer<S>
    ) -> Entries<S> {
        guard let x = row.baseAddress else { preconditionFailure("rows are not empty") }
        let count = row.count
        // Differences of huge numbers stay finite; tiny ones are no matter beside such a tau.
        let scale = tau > 1 && S.isStored(as: .float64) ? 0x1p-2 : 1
        let at = CKernels_Softness(
            centre: centre, scale: isAbove ? -scale : scale,
            inverse: min(1 / (tau * scale), 0x1p1000))
        // Where most are near, all are looked at.
        let nearMax = count / 3
        let near = UnsafeMutableRawPointer(
            workspace.offsets.reserve(nearMax + 80)
        ).assumingMemoryBound(to: S.self)
        let split = S.softMeasure(x, count: count, at, distances, nearMax: nearMax, near)
        return Entries(distances: distances, count: count, near: near, split: split)
    }

    /// Midway between the floor(k)-th largest and the next; with a fraction of k, the next, which
    /// counts as above the centre if the fraction is more than half: whichever leaves less to be
    /// made up by differences.
    private func centre<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, hasInfinity: Bool, _ index: Int, _ workspace: Workspace
    ) -> (Double, isAbove: Bool) {
        let whole = Int(k)
        let fraction = k - Double(whole)
        if let next = workspace.shortTops.kth(whole + 1, row: index) {
            let kth = workspace.shortTops.kth(whole, row: index) ?? next
            return Self.centre(kth: kth, next: next, whole, fraction)
        }
        let count = Selection.gather(
            row, k: whole + 1, hasInfinity: hasInfinity, isAbsolute: false, workspace
        ) { $0 }
        let ranks = Ranks.select(
            workspace.scores.pointer, count: count, k: max(whole, 1),
            workspace.selection.reserve(count))
        let next = whole > 0 ? ranks.next ?? ranks.kth : ranks.kth
        return Self.centre(kth: ranks.kth, next: next, whole, fraction)
    }

    private static func centre(
        kth: Double, next: Double, _ whole: Int, _ fraction: Double
    ) -> (Double, isAbove: Bool) {
        whole > 0 && fraction == 0 ? (next / 2 + kth / 2, false) : (next, fraction > 0.5)
    }

    /// The root of f(u + d) = f - W d + B d^2 / 2 - (W - 6 Q) d^3 / 6, by Newton's method.
    private static func shortStep(_ sums: CKernels_SoftSums, _ excess: Double) -> Double {
        let third = sums.slope - 6 * sums.squares
        let inverse = 1 / sums.slope
        let r = excess * inverse
        // The inverse series; a small step of it needs but one of Newton's. After a large one comes
        // another pass: it need not be sharper than the polynomial.
        let bend = sums.bend * inverse / 2
        var d = r * (1 + r * (bend + r * (2 * bend * bend - third * inverse / 6)))
        let isSmall = abs(r) < 0.125
        if !isSmall { d = r }
        for _ in 0..<(isSmall ? 1 : 2) {
            let value = excess + d * (-sums.slope + d * (sums.bend / 2 - d * third / 6))
            let derivative = -sums.slope + d * (sums.bend - d * third / 2)
            guard derivative < 0 else { break }
            d -= value / derivative
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
