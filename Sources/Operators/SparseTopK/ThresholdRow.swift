import CKernels
import Glibc

/// Solves one row of a sparse top-k operator into `scratch.support`.
///
///     argmax over y in P(1_k) of <s, y> - (lambda / p) ||y||_p^p        (mask; s = x)
///
/// and its composition with phi(x) = x^2/2 for magnitude (s = |x|). Sander et al. 2023,
/// arXiv:2302.01425, definitions 3 to 5. Exact; O(n) on average, O(n log n) at worst.
struct ThresholdRow {
    let k: Int
    let lambda: Double
    let exponent: Exponent
    let isMagnitude: Bool

    /// - Parameters:
    ///   - finiteCount: entries of the row that are not -inf; at least k.
    ///   - known: the row's maxima in groups of such a height, see `Selection`.
    func solve<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, finiteCount: Int, ranks: Ranks? = nil,
        known: (_ height: Int) -> UnsafePointer<S>? = { _ in nil }, _ scratch: SparseTopKScratch
    ) {
        precondition(k >= 1 && k <= finiteCount && finiteCount <= row.count)
        scratch.passCount = 0
        if let ranks { return solve(row, ranks, scratch) }
        let hasInfinity = finiteCount < row.count
        let count = Selection.gather(
            row, k: k, hasInfinity: hasInfinity, isAbsolute: isMagnitude, known: known,
            &scratch.selection, cut: cut)
        let ranks = Ranks.select(
            scratch.selection.scores.pointer, count: count, k: k,
            scratch.selection.reordered.reserve(count))
        scratch.support.reset(capacity: count)
        guard let next = ranks.next, !isHard(kth: ranks.kth, next: next, scratch) else {
            return selectHard(count: count, kth: ranks.kth, scratch)
        }
        let kept = CKernels_keep(
            scratch.selection.scores.pointer, scratch.selection.columns.pointer, count,
            cut(ranks.kth))
        // Only rounding of the cut itself could drop s_{k+1}; then nothing is left to share.
        if kept <= k { return selectHard(count: kept, kth: ranks.kth, scratch) }
        _ = scratch.offsets.reserve(kept + 16)
        solveSoft(count: kept, ranks, next, scratch)
    }

    private func solveSoft(count: Int, _ ranks: Ranks, _ next: Double, _ scratch: SparseTopKScratch)
    {
        switch exponent {
        case .linear: solveSoft(Linear(), count: count, ranks, next, scratch)
        case .cubic: solveSoft(Cubic(), count: count, ranks, next, scratch)
        case .root: solveSoft(Root(), count: count, ranks, next, scratch)
        case .general(let e): solveSoft(General(e: e), count: count, ranks, next, scratch)
        }
    }

    /// The same for a row of which more is known: no entry is looked at that cannot matter.
    private func solve<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, _ ranks: Ranks, _ scratch: SparseTopKScratch
    ) {
        guard let next = ranks.next else { return }
        let hard = isHard(kth: ranks.kth, next: next, scratch)
        let bound = hard ? ranks.kth : cut(ranks.kth)
        let count = Selection.gather(row, above: bound, isAbsolute: isMagnitude, &scratch.selection)
        scratch.support.reset(capacity: count)
        if hard || count <= k { return selectHard(count: count, kth: ranks.kth, scratch) }
        _ = scratch.offsets.reserve(count + 16)
        solveSoft(count: count, ranks, next, scratch)
    }

    /// A bound under which no entry is active when the k-th largest score is `kth`: kth - lambda,
    /// or h^-1(kth) with h(v) = v + lambda v^(p-1). Not above the exact one, and at most 2^max(e,1)
    /// below.
    private func cut(_ kth: Double) -> Double { cut(kth, lambda) }

    private func cut(_ kth: Double, _ lambda: Double) -> Double {
        guard lambda > 0 else { return kth }
        guard isMagnitude else { return (kth - lambda).nextDown }
        switch exponent {
        case .linear:
            return kth / (1 + lambda) * (1 - 0x1p-50)
        case .cubic:
            // With w = v^(1/3): w^3 + lambda w = kth. Newton on a convex function, from above.
            var w = min(cbrt(kth), kth / lambda)
            guard w > 0x1p-300 && kth < 0x1p900 else {
                return min(kth / 2, cube(kth / (2 * lambda))) * (1 - 0x1p-40)
            }
            // At most 2^(1/3) too large to begin with: five steps leave less than 2^-36.
            for _ in 0..<5 {
                w -= (w * (w * w + lambda) - kth) / (3 * w * w + lambda)
            }
            return cube(w) * (1 - 0x1p-30)
        case .root, .general:
            // In logarithms: kth / (2 lambda) may leave the range of doubles.
            return min(kth / 2, exp2(exponent.e * (log2(kth) - log2(lambda) - 1))) * (1 - 0x1p-30)
        }
    }

    private func cube(_ v: Double) -> Double { v * v * v }

    /// Whether the gap is so wide that nothing is shared: the answer is the hard top k.
    private func isHard(kth: Double, next: Double, _ scratch: SparseTopKScratch) -> Bool {
        guard lambda > 0 else { return true }
        guard isMagnitude else { return kth - next >= lambda }
        if next == 0 { return true }
        if kth == next { return false }
        let unit = scratch.unit(next: next, lambda: lambda, exponent)
        let gap = (kth - next) * unit.scale
        let next = next * unit.scale
        let lambda = unit.lambda
        switch exponent {
        // The gap is exact where it is small; the sum next + lambda next^(p-1) would lose it.
        case .linear: return gap >= lambda * next
        case .cubic:
            // Cubes decide but for the last digits.
            let (ours, theirs) = (cube(gap), cube(lambda) * next)
            if ours > theirs * (1 + 0x1p-40) && theirs > 0 { return true }
            if ours < theirs * (1 - 0x1p-40) && ours > 0 { return false }
            return gap >= lambda * cbrt(next)
        case .root: return gap >= lambda * next * next
        case .general(let e): return gap >= lambda * pow(next, 1 / e)
        }
    }

    /// The k largest; among equals the lower column wins.
    private func selectHard(count: Int, kth: Double, _ scratch: SparseTopKScratch) {
        let scores = scratch.selection.scores.pointer
        let columns = scratch.selection.columns.pointer
        var above = 0
        for i in 0..<count where scores[i] > kth { above += 1 }
        var tiesLeft = k - above
        for i in 0..<count where scores[i] >= kth {
            if scores[i] == kth {
                if tiesLeft == 0 { continue }
                tiesLeft -= 1
            }
            let weight = isMagnitude ? scores[i] : 1
            scratch.support.append(
                column: columns[i], score: scores[i], weight: weight, slope: 0, level: 0)
        }
        scratch.support.endSegment(weight: 1)
        assert(scratch.support.count == k)
    }

    private func solveSoft<Power: PowerRule>(
        _ power: Power, count: Int, _ ranks: Ranks, _ next: Double, _ scratch: SparseTopKScratch
    ) {
        let unit =
            isMagnitude
            ? scratch.unit(next: next, lambda: lambda, exponent) : Unit(lambda: lambda)
        let next = next * unit.scale
        var solver = ThresholdSolver(
            power, scores: scratch.selection.scores.pointer, offsets: scratch.offsets.pointer,
            count: count, k: Double(k), lambda: unit.lambda, isMagnitude: isMagnitude,
            scale: unit.scale)
        let root =
            isMagnitude
            ? magnitudeRoot(&solver, next, cut(ranks.kth * unit.scale, unit.lambda))
            : maskRoot(&solver, ranks.kth, next)
        scratch.passCount = solver.passCount
        guard let t = root else { return selectVanishing(count: count, scratch) }
        emit(solver, t, unit.levelScale, scratch)
    }

    /// tau lies in [s_k - lambda, s_{k+1}], so t in [0, 1 - z_k] with the anchor at s_{k+1}.
    private func maskRoot<Power: PowerRule>(
        _ solver: inout ThresholdSolver<Power>, _ kth: Double, _ next: Double
    ) -> Double? {
        solver.setAnchor(next)
        let t = solver.solve(low: 0, high: max(0, 1 - (kth - next) / lambda))
        return solver.power.e < 1 ? solver.refine(t) : t
    }

    /// theta lies in [h^-1(s_k), s_{k+1}]. Near s_{k+1} it is measured from there, near 0 from 0.
    /// nil where theta is too small for a double: every output then equals its input to rounding.
    private func magnitudeRoot<Power: PowerRule>(
        _ solver: inout ThresholdSolver<Power>, _ next: Double, _ lowest: Double
    ) -> Double? {
        guard lowest > 0x1p-100 else { return nil }
        let lambda = solver.lambda
        // s_{k+1} is not capped: u^e <= theta <= next there, and u = t.
        let half = min(next / (2 * lambda), pow(next, 1 / solver.power.e) * (1 + 0x1p-40))
        solver.setAnchor(next)
        let isNear = solver.excess(half) >= 0
        if !isNear { solver.setAnchor(0) }
        let t =
            isNear
            ? solver.solve(low: 0, high: half)
            : solver.solve(low: -half, high: -min(lowest, next / 2) / lambda)
        return solver.power.e < 1 ? solver.refine(t) : t
    }

    /// theta underflows (huge lambda or tiny scores): y_i = lambda u_i + u_i^e = s_i to rounding.
    private func selectVanishing(count: Int, _ scratch: SparseTopKScratch) {
        for i in 0..<count where scratch.selection.scores.pointer[i] > 0 {
            let score = scratch.selection.scores.pointer[i]
            scratch.support.append(
                column: scratch.selection.columns.pointer[i], score: score, weight: score, slope: 0,
                level: 0)
        }
        scratch.support.endSegment(weight: 1)
    }

    private func emit<Power: PowerRule>(
        _ solver: ThresholdSolver<Power>, _ t: Double, _ levelScale: Double,
        _ scratch: SparseTopKScratch
    ) {
        let threshold = CKernels_Threshold(
            scores: solver.scores, columns: scratch.selection.columns.pointer,
            offsets: solver.offsets,
            count: solver.count, t: t, cap: solver.cap(t), e: solver.power.e,
            lambda: solver.lambda, scale: solver.scale, level_scale: levelScale,
            is_magnitude: isMagnitude, is_derived: scratch.support.isDerived)
        let capped = scratch.support.append(threshold, Power.emit)
        // At least one entry is active by a full weight; rounding may have capped it.
        scratch.support.endSegment(weight: max(1, Double(k - capped)))
    }
}
