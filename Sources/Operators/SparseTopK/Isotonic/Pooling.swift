import Glibc

/// Pool adjacent violators with a closed form for the value of a block: p = 2 and p = 4/3.
///
/// O(m) after the sort: each entry is pushed once and pooled at most once.
enum Pooling {
    /// A block on the stack, with the moments of its entries in units of lambda.
    ///
    /// Moments are central and merge without cancellation (Chan, Golub, LeVeque 1983): the cubic of
    /// p = 4/3 in plain power sums loses every digit around large scores.
    struct Pool: BitwiseCopyable {
        var start: Int
        var count: Double
        var weight: Double
        /// The block's first score; all else is measured from it.
        var anchor: Double
        /// mean of (s_i - anchor) / lambda, and sums of the 2nd and 3rd powers around it.
        var mean = 0.0
        var square = 0.0
        var cube = 0.0
        /// (anchor - v) / lambda.
        var delta = 0.0
    }

    /// - Parameter isCubic: p = 4/3, otherwise p = 2.
    static func solve<Power: PowerRule>(
        _ row: IsotonicRow, _ power: Power, _ stack: UnsafeMutablePointer<Pool>,
        into support: inout Support
    ) {
        let isCubic = power.e == 3
        var height = 0
        for i in 0..<row.count {
            var pool = Pool(start: i, count: 1, weight: row.weights[i], anchor: row.scores[i])
            pool.delta = delta(pool, row, isCubic)
            while height > 0, isViolated(stack[height - 1], pool, row) {
                height -= 1
                pool = merged(stack[height], pool, row)
                pool.delta = delta(pool, row, isCubic)
            }
            stack[height] = pool
            height += 1
        }
        for b in 0..<height {
            let end = b + 1 < height ? stack[b + 1].start : row.count
            let block = IsotonicRow.Block(
                entries: stack[b].start..<end, weight: stack[b].weight, anchor: stack[b].anchor,
                delta: polished(stack[b], end, row, power))
            row.emit(block, power, to: &support)
        }
        support.endSegment(weight: 1)
    }

    /// v_left < v_right.
    private static func isViolated(_ left: Pool, _ right: Pool, _ row: IsotonicRow) -> Bool {
        (left.anchor - right.anchor) / row.lambda < left.delta - right.delta
    }

    private static func merged(_ left: Pool, _ right: Pool, _ row: IsotonicRow) -> Pool {
        var pool = left
        let shift = (right.anchor - left.anchor) / row.lambda
        let difference = right.mean + shift - left.mean
        let count = left.count + right.count
        let share = left.count * right.count / count
        pool.count = count
        pool.weight += right.weight
        pool.mean += difference * right.count / count
        pool.square += right.square + difference * difference * share
        pool.cube +=
            right.cube
            + difference * difference * difference * share * (left.count - right.count) / count
            + 3 * difference * (left.count * right.square - right.count * left.square) / count
        return pool
    }

    /// The root of the block's equation.
    private static func delta(_ pool: Pool, _ row: IsotonicRow, _ isCubic: Bool) -> Double {
        if pool.weight == 0 && pool.count == 1 { return 0 }
        // magnitude: W v = W (anchor - lambda delta).
        let slope = row.isMagnitude ? pool.weight * row.lambda : 0
        let target = row.isMagnitude ? pool.weight * pool.anchor : pool.weight
        if !isCubic {
            return (target - pool.count * pool.mean) / (pool.count + slope)
        }
        // With z = mean + delta: n z^3 + (3 S2 + slope) z = target + slope mean - S3.
        let z = cubicRoot(
            pool.count, 3 * pool.square + slope, target + slope * pool.mean - pool.cube)
        return z - pool.mean
    }

    /// The only real z with n z^3 + b z = r, n > 0, b >= 0: Cardano's A - B with A B = P, written
    /// as (A^3 - B^3) / (A^2 + A B + B^2), which does not cancel.
    private static func cubicRoot(_ n: Double, _ b: Double, _ r: Double) -> Double {
        let p = b / (3 * n)
        let q = r / (2 * n)
        if q == 0 { return 0 }
        // The cubic term does not count.
        if p * p.squareRoot() > abs(q) * 0x1p60 { return r / b }
        let discriminant = q * q + p * p * p
        // The squares leave the range where the root does not: z = m z' with m about the root.
        guard discriminant > 0x1p-900 && discriminant < 0x1p1000 else {
            let m = max(cbrt(abs(q)), p.squareRoot())
            return m * scaledRoot(p / m / m, q / m / m / m)
        }
        return scaledRoot(p, q)
    }

    /// z with z^3 + 3 p z = 2 q.
    private static func scaledRoot(_ p: Double, _ q: Double) -> Double {
        let a = cbrt(abs(q) + (q * q + p * p * p).squareRoot())
        let root = p == 0 ? a : 2 * abs(q) / (a * a + p + (p / a) * (p / a))
        return q < 0 ? -root : root
    }

    /// One Newton step on the block's own entries: the last digits that the moments lost.
    private static func polished<Power: PowerRule>(
        _ pool: Pool, _ end: Int, _ row: IsotonicRow, _ power: Power
    ) -> Double {
        guard pool.weight > 0 else { return pool.delta }
        var sum = 0.0
        var slope = row.isMagnitude ? pool.weight * row.lambda : 0
        for i in pool.start..<end {
            let u = (row.scores[i] - pool.anchor) / row.lambda + pool.delta
            guard u > 0 else { continue }
            let value = power(u)
            sum += value.power
            slope += value.slope
        }
        let target =
            pool.weight * (row.isMagnitude ? pool.anchor - row.lambda * pool.delta : 1)
        let step = (target - sum) / slope
        // Only a correction: where the moments say more, they are right (u = 0, overflow).
        return abs(step) <= 1e-6 * abs(pool.delta) ? pool.delta + step : pool.delta
    }
}
