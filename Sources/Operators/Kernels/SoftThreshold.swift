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
    /// Where the row was solved: entries are distances from `centre` in the workspace.
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

    /// 0 < k < finiteCount. The row's distances are left in `workspace.softness`.
    ///
    /// f(u) = sum q below - sum q above - (k - count above) falls from positive to negative: a root
    /// is enclosed as the passes go. Near it, the cubic Taylor polynomial of f is solved (its error
    /// is a fourth power). Far from it, where an entry's share falls off exponentially, Newton's
    /// method runs on the logarithms of both sides, which are nearly straight lines there. A step
    /// that leaves the bracket halves it instead.
    func solve<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, finiteCount: Int, _ workspace: Workspace
    ) -> Root {
        guard let x = row.baseAddress else { preconditionFailure("rows are not empty") }
        var (centre, isAbove) = centre(row, hasInfinity: finiteCount < row.count, workspace)
        var entries = measure(x, row.count, from: centre, isAbove, workspace)
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
                entries = measure(x, row.count, from: centre, isAbove, workspace)
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
                    S.softSides(entries.distances, count: row.count, s), isUp: excess > 0, demand)
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

    /// Where the distances of a row of `count` numbers lie, in whole lines of 16.
    static func distances<S: KernelScalar>(
        _ count: Int, _ type: S.Type, _ workspace: Workspace
    ) -> UnsafeMutablePointer<S> {
        UnsafeMutableRawPointer(workspace.softness.reserve(count + Int(CKernels_lanes)))
            .assumingMemoryBound(to: S.self)
    }

    /// The row's distances, and those of them that a threshold near the centre is made of.
    private struct Entries<S: KernelScalar> {
        let distances: UnsafePointer<S>
        let count: Int
        let near: UnsafePointer<S>
        let split: CKernels_SoftSplit

        /// - Parameter isNear: whether s is between 1 / 4 and 4. Then what is far below the centre
        ///   has r = e / s <= 2^-14 (2^-28 in float64), and a share of r - r^2, to rounding.
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
        _ x: UnsafePointer<S>, _ count: Int, from centre: Double, _ isAbove: Bool,
        _ workspace: Workspace
    ) -> Entries<S> {
        let distances = Self.distances(count, S.self, workspace)
        // Differences of huge numbers stay finite; tiny ones are no matter beside such a tau.
        let scale = tau > 1 && S.isStored(as: .float64) ? 0x1p-2 : 1
        let at = CKernels_Softness(
            centre: centre, scale: isAbove ? -scale : scale,
            inverse: min(1 / (tau * scale), 0x1p1000))
        S.softDistances(x, count: count, at, distances)
        // Where most are near, all are looked at.
        let nearMax = count / 3
        let near = UnsafeMutableRawPointer(
            workspace.offsets.reserve(nearMax + 2 * Int(CKernels_lanes))
        ).assumingMemoryBound(to: S.self)
        let split = S.softSplit(distances, count: count, nearMax: nearMax, near)
        return Entries(distances: distances, count: count, near: near, split: split)
    }

    /// Midway between the floor(k)-th largest and the next; with a fraction of k, the next, which
    /// counts as above the centre if the fraction is more than half: whichever leaves less to be
    /// made up by differences.
    private func centre<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, hasInfinity: Bool, _ workspace: Workspace
    ) -> (Double, isAbove: Bool) {
        let whole = Int(k)
        let fraction = k - Double(whole)
        let count = Selection.gather(
            row, k: whole + 1, hasInfinity: hasInfinity, isAbsolute: false, workspace
        ) { $0 }
        let ranks = Ranks.select(
            workspace.scores.pointer, count: count, k: max(whole, 1),
            workspace.selection.reserve(count))
        guard whole > 0, let next = ranks.next else { return (ranks.kth, fraction > 0.5) }
        return fraction == 0 ? (next / 2 + ranks.kth / 2, false) : (next, fraction > 0.5)
    }

    /// The root of f(u + d) = f - W d + B d^2 / 2 - (W - 6 Q) d^3 / 6, by Newton's method.
    private static func shortStep(_ sums: CKernels_SoftSums, _ excess: Double) -> Double {
        let third = sums.slope - 6 * sums.squares
        var d = excess / sums.slope
        for _ in 0..<4 {
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
