import CKernels

/// Solves one row by sorting it: pav for any weights, dykstra for p = 2.
struct SortingSolver {
    enum Method {
        case pav
        case dykstra(Dykstra)
    }

    let method: Method
    let lambda: Double
    let exponent: Exponent
    let isMagnitude: Bool

    /// Solves the finite entries of a row for P(w) into `scratch.support`.
    ///
    /// - Parameters:
    ///   - finiteCount: entries that are not -inf, at least 1.
    ///   - weights: w for the finite entries, non-increasing, >= 0.
    /// - Returns: what dykstra reports; nil for pav.
    func solve<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, finiteCount: Int, weights: UnsafePointer<Double>,
        _ scratch: SparseTopKScratch
    ) throws(OperatorError) -> Dykstra.Report? {
        sort(row, finiteCount: finiteCount, scratch)
        scratch.support.reset(capacity: finiteCount)
        let scores = scratch.selection.scores.pointer
        // magnitude: k ones make one block, around s_k; others may lie anywhere below s_1.
        var ones = 0
        while ones < finiteCount && weights[ones] == 1 { ones += 1 }
        let isPlain = ones > 0 && (ones == finiteCount || weights[ones] == 0)
        let reference = isPlain && scores[ones - 1] > 0 ? ones - 1 : 0
        let unit =
            isMagnitude && scores[0] > 0
            ? Unit(next: scores[reference], largest: scores[0], lambda: lambda, exponent)
            : Unit(lambda: lambda)
        if unit.scale != 1 { for i in 0..<finiteCount { scores[i] *= unit.scale } }
        let sorted = IsotonicRow(
            count: finiteCount, scores: scores,
            offsets: scratch.offsets.reserve(finiteCount + 16),
            columns: scratch.selection.columns.pointer,
            weights: weights, isMagnitude: isMagnitude, unit: unit)
        let report = try solve(sorted, scratch)
        scratch.support.orderByColumn()
        return report
    }

    private func solve(
        _ row: IsotonicRow, _ scratch: SparseTopKScratch
    ) throws(OperatorError) -> Dykstra.Report? {
        if case .dykstra(let dykstra) = method {
            if lambda == 0 {
                row.emitHard(to: &scratch.support)
                return Dykstra.Report()
            }
            let pad = scratch.sorting.multipliers.reserve(3 * row.count)
            let state = Dykstra.State(u: pad, mu: pad + row.count, omega: pad + 2 * row.count)
            return try dykstra.solve(row, state, into: &scratch.support)
        }
        guard lambda > 0 else {
            row.emitHard(to: &scratch.support)
            return nil
        }
        switch exponent {
        case .linear:
            let pools = scratch.sorting.pools.reserve(row.count)
            Pooling.solve(row, Linear(), pools, into: &scratch.support)
        case .cubic:
            let pools = scratch.sorting.pools.reserve(row.count)
            Pooling.solve(row, Cubic(), pools, into: &scratch.support)
        case .root:
            let runs = scratch.sorting.runs.reserve(row.count + 1)
            Partition(row: row, power: Root()).solve(runs, into: &scratch.support)
        case .general(let e):
            let runs = scratch.sorting.runs.reserve(row.count + 1)
            Partition(row: row, power: General(e: e)).solve(runs, into: &scratch.support)
        }
        return nil
    }

    /// Descending; among equals the lower column first.
    private func sort<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, finiteCount: Int, _ scratch: SparseTopKScratch
    ) {
        let count = Selection.gather(
            row, above: -Double(S.greatestFiniteMagnitude), isAbsolute: isMagnitude,
            &scratch.selection)
        precondition(count == finiteCount)
        CKernels_sort(
            scratch.selection.scores.pointer, scratch.selection.columns.pointer, count,
            scratch.sorting.entries.reserve(2 * count))
    }
}
