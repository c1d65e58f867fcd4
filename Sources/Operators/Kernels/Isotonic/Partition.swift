import Glibc

/// The blocks of an isotonic row for any p, by recursive partition: where a block has no closed
/// form, pooling one entry at a time would cost a root over the whole block each time, O(m^2).
///
/// For a value v, the prefix with the least sum of derivatives holds exactly the entries whose
/// solution is above v (Hochbaum and Queyranne 2003). With v the best constant of a run of entries,
/// either no prefix is negative, and the run is a block, or it splits. O(m) for each of about log m
/// levels of splits on ordinary rows; rows made to split unevenly are also split at the value of
/// their middle entry.
struct Partition<Power: PowerRule> {
    let row: IsotonicRow
    let power: Power

    func solve(_ stack: UnsafeMutablePointer<Pooling.Pool>, into support: inout Support) {
        // Runs still to solve, the first on top; `weight` 1 asks for a split at the middle entry.
        var height = 1
        var end = row.count
        stack[0] = Pooling.Pool(start: 0, count: 0, weight: 0, anchor: 0)
        // The stack holds starts; a run ends where the one below it starts. Solve from the back:
        // the support is reordered by column anyway.
        while height > 0 {
            let start = stack[height - 1].start
            let isUneven = stack[height - 1].weight == 1
            let cut = isUneven ? middleSplit(start, end) : nil
            if let split = cut ?? solveRun(start, end, &support) {
                let isUneven = split - start < (end - start) / 8 || end - split < (end - start) / 8
                stack[height - 1].weight = isUneven ? 1 : 0
                stack[height] = Pooling.Pool(
                    start: split, count: 0, weight: isUneven ? 1 : 0, anchor: 0)
                height += 1
            } else {
                end = start
                height -= 1
            }
        }
        support.endSegment(weight: 1)
    }

    /// Emits the run as a block, or says where it splits.
    private func solveRun(_ start: Int, _ end: Int, _ support: inout Support) -> Int? {
        var weight = 0.0
        for i in start..<end { weight += row.weights[i] }
        if weight == 0 { return nil }
        // Entries of equal weight are blocks of their own: nothing ties what is sorted.
        let isFlat = row.weights[start] == row.weights[end - 1]
        if isFlat && (!row.isMagnitude || row.weights[start] == 1) {
            for i in start..<end {
                let single = IsotonicRow.Block(
                    entries: i..<i + 1, weight: row.weights[i], anchor: row.scores[i], delta: 0)
                row.emit(single, power, to: &support)
            }
            return nil
        }
        if isFlat && end - start > 1 { return (start + end) / 2 }
        // Entries too far apart to share: u^e <= w_1 everywhere (and w_1 v for magnitude).
        if end - start > 1, let gap = gapSplit(start, end) { return gap }
        var solver = ThresholdSolver(
            power, scores: row.scores + start, offsets: row.offsets + start, count: end - start,
            k: weight, lambda: row.lambda, isMagnitude: row.isMagnitude, isCapped: false, scale: 1)
        guard let t = root(&solver) else {
            // v underflows: every entry's answer is its score to rounding.
            for i in start..<end where row.scores[i] > 0 {
                let score = row.scores[i] / row.unit.scale
                support.append(
                    column: row.columns[i], score: score, weight: score, slope: 0, level: 0)
            }
            return nil
        }
        if let split = split(start, end, solver.anchor, t, weight) { return split }
        let block = IsotonicRow.Block(
            entries: start..<end, weight: weight, anchor: solver.anchor, delta: t)
        row.emit(block, power, to: &support)
        return nil
    }

    /// The best constant of a run, as t = (anchor - v) / lambda; nil where it is below doubles.
    private func root(_ solver: inout ThresholdSolver<Power>) -> Double? {
        let first = solver.scores[0]
        let extent = (first - solver.scores[solver.count - 1]) / row.lambda
        solver.setAnchor(first)
        var t: Double
        if !row.isMagnitude {
            // All u >= high - extent: their sum is at least W there.
            t = solver.solve(low: 0, high: pow(solver.k, 1 / power.e) * (1 + 0x1p-40) + extent)
        } else {
            // v <= first, and W v >= ((first - v) / lambda)^e.
            let half = first / (2 * row.lambda)
            if solver.excess(half) >= 0 {
                t = solver.solve(low: 0, high: half)
            } else {
                let lowest = min(
                    first / 2,
                    exp2(power.e * (log2(first) - log2(row.lambda) - 1)) / max(solver.k, 1))
                guard lowest > 0x1p-900 else { return nil }
                solver.setAnchor(0)
                t = solver.solve(low: -half, high: -lowest * (1 - 0x1p-30) / row.lambda)
            }
        }
        return power.e < 1 ? solver.refine(t) : t
    }

    /// The end of the prefix whose v is above anchor - lambda t; nil if there is none.
    private func split(
        _ start: Int, _ end: Int, _ anchor: Double, _ t: Double, _ weight: Double
    ) -> Int? {
        let unit = row.isMagnitude ? anchor - row.lambda * t : 1
        // No entry ends above w_1 (w_1 v): one that is above now is in the prefix, by how much does
        // not matter, and would only drown the others.
        let cap = 2 * row.weights[start] * unit
        var sum = 0.0
        var least = 0.0
        var at: Int?
        for i in start..<end {
            let u = (row.scores[i] - anchor) / row.lambda + t
            let derivative = row.weights[i] * unit - (u > 0 ? min(power(u).power, cap) : 0)
            sum += derivative
            // A derivative that is lost in the sum still says on which side its entry is.
            if sum < least || (at == i && derivative < 0) {
                least = sum
                at = i + 1
            }
        }
        // What rounding makes of zero is no reason to split.
        guard least < -1e-13 * weight * unit else { return nil }
        // All of them, or none: the value lies on one side of the whole run.
        return at == end ? nil : at
    }

    /// A split at the value that the middle entry would have alone.
    private func middleSplit(_ start: Int, _ end: Int) -> Int? {
        guard end - start > 2 else { return nil }
        let middle = (start + end) / 2
        var weight = 0.0
        for i in start..<end { weight += row.weights[i] }
        guard weight > 0 else { return nil }
        var t = 0.0
        if row.weights[middle] > 0 {
            guard !row.isMagnitude else { return nil }
            t = pow(row.weights[middle], 1 / power.e)
        }
        guard row.scores[middle] > 0 || !row.isMagnitude else { return nil }
        return split(start, end, row.scores[middle], t, weight)
    }

    /// Where a gap is at least as wide as any u can be.
    private func gapSplit(_ start: Int, _ end: Int) -> Int? {
        let largest = row.weights[start]
        for i in start..<end - 1 {
            let reach = row.isMagnitude ? largest * row.scores[i] : largest
            let gap = row.scores[i] - row.scores[i + 1]
            if gap > 0 && gap >= row.lambda * pow(reach, 1 / power.e) { return i + 1 }
        }
        return nil
    }
}
