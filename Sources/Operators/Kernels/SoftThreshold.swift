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
        let distances = workspace.softness.reserve(row.count + Int(CKernels_lanes))
        var centre = centre(row, hasInfinity: finiteCount < row.count, workspace)
        var demand = k - Double(measure(x, row.count, from: centre, distances))
        var u = 0.0
        var low = -Double.infinity
        var high = Double.infinity
        workspace.passCount = 0
        while workspace.passCount < Self.passesMax {
            // A threshold beyond the largest number cannot be measured from; exp(u) can still be.
            if abs(u) > Self.reach && abs(centre + tau * u) < 0x1p1020 {
                centre += tau * u
                low -= u
                high -= u
                u = 0
                demand = k - Double(measure(x, row.count, from: centre, distances))
            }
            workspace.passCount += 1
            let sums = CKernels_soft_sums(distances, row.count, exp(min(max(u, -700), 700)))
            let excess = (sums.below - sums.above) - demand
            // Every entry is decided, to the last digit: any threshold of the gap will do.
            if excess == 0 { break }
            if excess > 0 { low = u } else { high = u }
            let step = step(sums, excess, demand)
            let next = u + step.length
            if next > low && next < high {
                u = next
                if step.isLast { break }
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

    private func measure<S: KernelScalar>(
        _ x: UnsafePointer<S>, _ count: Int, from centre: Double,
        _ distances: UnsafeMutablePointer<Double>
    ) -> Int {
        // Differences of huge numbers stay finite; tiny ones are no matter beside such a tau.
        let scale = tau > 1 ? 0x1p-2 : 1
        let at = CKernels_Softness(
            centre: centre, scale: scale, inverse: min(1 / (tau * scale), 0x1p1000))
        return S.softDistances(x, count: count, at, distances)
    }

    /// Midway between the floor(k)-th largest and the next; with a fraction of k, the next.
    private func centre<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, hasInfinity: Bool, _ workspace: Workspace
    ) -> Double {
        let whole = Int(k)
        let count = Selection.gather(
            row, k: whole + 1, hasInfinity: hasInfinity, isAbsolute: false, workspace
        ) { $0 }
        let ranks = Ranks.select(
            workspace.scores.pointer, count: count, k: max(whole, 1),
            workspace.selection.reserve(count))
        guard whole > 0 else { return ranks.kth }
        guard let next = ranks.next else { return ranks.kth }
        return k == Double(whole) ? next / 2 + ranks.kth / 2 : next
    }

    private func step(
        _ sums: CKernels_SoftSums, _ excess: Double, _ demand: Double
    ) -> (length: Double, isLast: Bool) {
        let slope = sums.slope_below + sums.slope_above
        if abs(excess) < 0.3 * slope {
            // f(u + d) = f - W d + B d^2 / 2 - (W - 6 Q) d^3 / 6, by Newton from its first term.
            let third = slope - 6 * sums.squares
            var d = excess / slope
            for _ in 0..<4 {
                let value = excess + d * (-slope + d * (sums.bend / 2 - d * third / 6))
                let derivative = -slope + d * (sums.bend - d * third / 2)
                guard derivative < 0 else { break }
                d -= value / derivative
            }
            // The fifth term is below d^4 / 24 of the first.
            return (d, abs(d) < 2e-4)
        }
        let ours = sums.below + max(0, -demand)
        let theirs = sums.above + max(0, demand)
        let decline = sums.slope_below / ours + sums.slope_above / theirs
        guard ours > 0 && theirs > 0 && decline > 0 else {
            return (excess > 0 ? Self.reach : -Self.reach, false)
        }
        return (min(max(log(ours / theirs) / decline, -4 * Self.reach), 4 * Self.reach), false)
    }
}
