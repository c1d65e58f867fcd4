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

    /// - Parameter stack: room for a run an entry.
    func solve(_ stack: UnsafeMutablePointer<PartitionRun>, into support: inout Support) {
        // Runs still to solve, from the front on; a run ends where the one above it starts, or
        // where the last solved one did. From the back: the support is reordered anyway.
        stack[0] = PartitionRun(start: 0, isUneven: false)
        var height = 1
        var end = row.count
        while height > 0 {
            let start = stack[height - 1].start
            if !stack[height - 1].isGapless {
                stack[height - 1].isGapless = true
                height = pushGaps(start, end, stack, height)
                continue
            }
            let split = stack[height - 1].isUneven ? middleSplit(start, end) : nil
            if let split = split ?? solveRun(start, end, &support) {
                let isUneven = split - start < (end - start) / 8 || end - split < (end - start) / 8
                stack[height - 1].isUneven = isUneven
                stack[height - 1].isGapless = false
                stack[height] = PartitionRun(start: split, isUneven: isUneven)
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
        var solver = solver(start, end, weight)
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
        // Behind the last u > 0 nothing has a part in the block, if nothing has weight there.
        var last = end
        while last > start + 1 && row.weights[last - 1] == 0
            && (row.scores[last - 1] - solver.anchor) / row.lambda + t <= 0
        {
            last -= 1
        }
        if last < end && row.weights[start] == row.weights[last - 1] { return last }
        let block = IsotonicRow.Block(
            entries: start..<last, weight: weight, anchor: solver.anchor, delta: t)
        row.emit(block, power, to: &support)
        return nil
    }

    private func solver(_ start: Int, _ end: Int, _ weight: Double) -> ThresholdSolver<Power> {
        ThresholdSolver(
            power, scores: row.scores + start, offsets: row.offsets + start, count: end - start,
            k: weight, lambda: row.lambda, isMagnitude: row.isMagnitude, isCapped: false, scale: 1)
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
            // A derivative that is lost in the sum, or underflows, still says on which side its
            // entry is.
            let isAbove = derivative < 0 || (row.weights[i] == 0 && u > 0)
            if sum < least || (at == i && isAbove) {
                least = sum
                at = i + 1
            }
        }
        // What rounding makes of zero is no reason to split.
        let noise = 0x1p-51 * (4 + Double(end - start).squareRoot())
        guard least < -noise * weight * unit else { return nil }
        // All of them, or none: the value lies on one side of the whole run.
        return at == end ? nil : at
    }

    /// A split at the value that the middle entry would have alone.
    private func middleSplit(_ start: Int, _ end: Int) -> Int? {
        guard end - start > 2 else { return nil }
        let middle = (start + end) / 2
        var weight = 0.0
        for i in start..<end { weight += row.weights[i] }
        guard weight > 0, row.scores[middle] > 0 || !row.isMagnitude else { return nil }
        if row.weights[middle] == 0 { return split(start, end, row.scores[middle], 0, weight) }
        var single = solver(middle, middle + 1, row.weights[middle])
        guard let t = root(&single) else { return nil }
        return split(start, end, single.anchor, t, weight)
    }

    /// Cuts the run, the topmost, at every gap that is at least as wide as any u can be: entries on
    /// its two sides cannot share (u^e <= w_1 everywhere, and w_1 v for magnitude).
    private func pushGaps(
        _ start: Int, _ end: Int, _ stack: UnsafeMutablePointer<PartitionRun>, _ height: Int
    ) -> Int {
        let largest = row.weights[start]
        let reach = row.lambda * pow(largest, 1 / power.e)
        var height = height
        for i in start..<max(end - 1, start) {
            let gap = row.scores[i] - row.scores[i + 1]
            guard gap > 0 else { continue }
            let width =
                row.isMagnitude ? row.lambda * pow(largest * row.scores[i], 1 / power.e) : reach
            if gap >= width {
                stack[height] = PartitionRun(start: i + 1, isUneven: false, isGapless: true)
                height += 1
            }
        }
        return height
    }
}

/// A run of entries that is still to be solved.
struct PartitionRun: BitwiseCopyable {
    var start: Int
    /// Whether it came from a split that took little off: then its middle is tried first.
    var isUneven: Bool
    /// Whether it has been looked through for gaps.
    var isGapless = false
}
