/// One solved row: the entries that are selected, fully or in part, and the derivative there.
///
/// Invariant: columns ascend. `slopes[i]` is D_i = e u_i^(e-1) / lambda on active entries
/// (0 < m_i < 1) and 0 on capped ones.
struct Support: ~Copyable {
    private(set) var count = 0
    /// K = k - n_capped, the weight that the active entries share.
    var activeWeight = 0.0
    private var columnScratch = Scratch<Int32>()
    private var scoreScratch = Scratch<Double>()
    private var weightScratch = Scratch<Double>()
    private var slopeScratch = Scratch<Double>()

    var columns: UnsafeMutablePointer<Int32> { columnScratch.pointer }
    /// s_i: x_i, or |x_i| for magnitude.
    var scores: UnsafeMutablePointer<Double> { scoreScratch.pointer }
    /// m_i in (0, 1] for mask and values; |y_i| for magnitude.
    var weights: UnsafeMutablePointer<Double> { weightScratch.pointer }
    var slopes: UnsafeMutablePointer<Double> { slopeScratch.pointer }

    mutating func reset(capacity: Int) {
        count = 0
        activeWeight = 0
        _ = columnScratch.reserve(capacity)
        _ = scoreScratch.reserve(capacity)
        _ = weightScratch.reserve(capacity)
        _ = slopeScratch.reserve(capacity)
    }

    mutating func trim() {
        count = 0
        columnScratch.trim()
        scoreScratch.trim()
        weightScratch.trim()
        slopeScratch.trim()
    }

    @inline(__always)
    mutating func append(column: Int32, score: Double, weight: Double, slope: Double) {
        columns[count] = column
        scores[count] = score
        weights[count] = weight
        slopes[count] = slope
        count += 1
    }

    /// The entry with the largest D.
    var steepest: Int {
        var best = 0
        for i in 0..<count where slopes[i] > slopes[best] { best = i }
        return best
    }

    /// max D, the scale that keeps sums of D finite; 0 where no entry is active.
    var largestSlope: Double {
        var largest = 0.0
        for i in 0..<count { largest = max(largest, slopes[i]) }
        return largest
    }
}

extension Double {
    /// Brings infinities back to the largest finite number. Never called on NaN.
    @inline(__always)
    var finite: Double {
        min(max(self, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
    }

    /// Rounds to `S`, clamped to its finite range: gradients are unbounded for p > 2, never
    /// infinite.
    @inline(__always)
    func rounded<S: KernelScalar>(to type: S.Type) -> S {
        let limit = S.greatestFiniteMagnitude
        return min(max(S(self), -limit), limit)
    }
}
