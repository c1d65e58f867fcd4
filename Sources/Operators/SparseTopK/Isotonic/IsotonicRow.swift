/// One row, sorted: the isotonic form of the operators, for any non-increasing weights w >= 0.
///
///     v = argmin over v_1 >= ... >= v_m of sum_i r*(s_i - v_i) + w_i phi(v_i)
///     r*(z) = max(z, 0)^q / (q lambda^(q-1)),   phi(v) = v (mask) or v^2 / 2 (magnitude)
///     y_i = u_i^e,   u_i = (s_i - v_i) / lambda          (arXiv:2302.01425, proposition 4)
///
/// The solution is constant on blocks of consecutive entries; on a block
///
///     sum_i u_i^e = W (mask)  or  W v (magnitude),       W = sum of the block's w
///
/// Legend: s scores, descending, ties by column; e = q - 1 = 1/(p-1); P(w) the permutahedron.
struct IsotonicRow {
    let count: Int
    /// s times the unit's scale, descending.
    let scores: UnsafeMutablePointer<Double>
    /// Scratch for `ThresholdSolver`: `count` numbers and a line of 16 more.
    let offsets: UnsafeMutablePointer<Double>
    let columns: UnsafeMutablePointer<Int32>
    /// w, non-increasing, >= 0.
    let weights: UnsafePointer<Double>
    /// In the unit of the scaled scores; > 0, except for `emitHard`.
    var lambda: Double { unit.lambda }
    let isMagnitude: Bool
    let unit: Unit

    /// A block that is solved: u_i = (s_i - anchor) / lambda + delta for its entries.
    ///
    /// The anchor is one of the block's own scores: nothing cancels, however far other blocks lie.
    struct Block {
        let entries: Range<Int>
        /// W.
        let weight: Double
        let anchor: Double
        let delta: Double
    }

    /// Appends a block to the support: a segment of its own, unless it is a single entry whose
    /// derivative is known (0 for mask; 1 for magnitude with w = 1).
    func emit<Power: PowerRule>(
        _ block: Block, _ power: Power, to support: inout Support
    ) {
        guard block.weight > 0 else { return }
        let isSingle = block.entries.count == 1
        let isPlain = isSingle && (!isMagnitude || block.weight == 1)
        if !isPlain { support.endSegment(weight: 1) }
        for i in block.entries {
            let score = scores[i] / unit.scale
            if isPlain {
                let weight = isMagnitude ? score : block.weight
                support.append(
                    column: columns[i], score: score, weight: weight, slope: 0, level: 0)
                continue
            }
            let u = (scores[i] - block.anchor) / lambda + block.delta
            guard u > 0 else { continue }
            let value = power(u)
            // u^e may underflow where lambda u does not.
            let weight = isMagnitude ? (lambda * u + value.power) / unit.scale : value.power
            guard weight > 0 else { continue }
            support.append(
                column: columns[i], score: score, weight: weight,
                slope: (value.slope / lambda).finite, level: (u * unit.levelScale).finite)
        }
        if !isPlain { support.endSegment(weight: block.weight) }
    }

    /// lambda = 0: y is w in the order of the scores, and w v for magnitude.
    func emitHard(to support: inout Support) {
        for i in 0..<count where weights[i] > 0 {
            let score = scores[i] / unit.scale
            if isMagnitude && weights[i] != 1 {
                // dy/dx = w: the limit D -> infinity of a block of one entry.
                support.endSegment(weight: 1)
                support.append(
                    column: columns[i], score: score, weight: weights[i] * score, slope: 0x1p1000,
                    level: 0)
                support.endSegment(weight: weights[i])
            } else {
                support.append(
                    column: columns[i], score: score, weight: isMagnitude ? score : weights[i],
                    slope: 0, level: 0)
            }
        }
        support.endSegment(weight: 1)
    }
}
