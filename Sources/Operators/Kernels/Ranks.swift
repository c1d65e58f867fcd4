import CKernels

/// The k-th and the (k+1)-th largest of some numbers; `next` is nil where there are only k.
struct Ranks {
    let kth: Double
    let next: Double?

    /// Below this many numbers, counting them beats moving them.
    private static let countingMax = 2048

    /// Above this many, a sample tells first where to look.
    private static let sampledMin = 8192
    private static let sampleCount = 1024

    /// Exact ranks of `count >= k >= 1` finite numbers. `scratch` has room for as many.
    ///
    /// The ranks of a sample enclose the k-th (Floyd and Rivest 1975): one pass copies what lies
    /// between, a tenth of the numbers. Where the sample was wrong, or many are equal, all are
    /// copied. O(n), and O(n log n) at worst.
    static func select(
        _ values: UnsafePointer<Double>, count: Int, k: Int,
        _ scratch: UnsafeMutablePointer<Double>
    ) -> Ranks {
        precondition(k >= 1 && k <= count)
        if count >= sampledMin {
            // Odd: rows that alternate would show but one of their sides.
            let stride = (count / sampleCount - 1) | 1
            for i in 0..<sampleCount { scratch[i] = values[i * stride] }
            let middle = k * sampleCount / count
            let reach = 64  // Four standard deviations of a rank in the middle.
            let high = rank(scratch, middle - reach)
            let low = rank(scratch, middle + reach)
            var above = 0
            let kept = CKernels_between(values, count, low, high, scratch, &above)
            if above < k && k < above + kept {
                return select(scratch, count: kept, k: k - above)
            }
        }
        scratch.update(from: values, count: count)
        return select(scratch, count: count, k: k)
    }

    /// The r-th largest of the sample; infinite beyond its ends.
    private static func rank(_ sample: UnsafePointer<Double>, _ r: Int) -> Double {
        guard r >= 1 else { return .infinity }
        guard r <= sampleCount else { return -.infinity }
        var kth = 0.0
        var next = 0.0
        CKernels_ranks(sample, sampleCount, r, &kth, &next)
        return kth
    }

    /// The same, reordering them.
    ///
    /// Quickselect down to a range that fits the first cache, then bisection by counting, which has
    /// no branch to mispredict. After 2 log2(count) unlucky pivots the counting starts at once: it
    /// needs at most 24 + 64 passes whatever the numbers are, so the worst case is O(n log n).
    static func select(_ values: UnsafeMutablePointer<Double>, count: Int, k: Int) -> Ranks {
        precondition(k >= 1 && k <= count)
        var low = 0
        var high = count
        var patience = 2 * (Int.bitWidth - count.leadingZeroBitCount)
        while high - low > countingMax && patience > 0 {
            patience -= 1
            let middle = partition(values, low, high)
            if k - 1 < middle.lowerBound {
                high = middle.lowerBound
            } else if k - 1 < middle.upperBound {
                // The k-th is a pivot; so is the next, unless the run of pivots ends here.
                let kth = values[k - 1]
                let next = k < middle.upperBound ? kth : largest(values, k, count)
                return Ranks(kth: kth, next: next)
            } else {
                low = middle.upperBound
            }
        }
        var kth = 0.0
        var next = 0.0
        CKernels_ranks(values + low, high - low, k - low, &kth, &next)
        // Ranges on both sides of the one that was counted are ordered against it.
        if next == -.infinity { return Ranks(kth: kth, next: largest(values, high, count)) }
        return Ranks(kth: kth, next: next)
    }

    /// nil where the range is empty.
    private static func largest(
        _ values: UnsafeMutablePointer<Double>, _ start: Int, _ end: Int
    ) -> Double? {
        start < end ? CKernels_largest(values + start, end - start) : nil
    }

    /// Three-way partition of [low, high) around the median of three; returns where the pivots lie.
    private static func partition(
        _ values: UnsafeMutablePointer<Double>, _ low: Int, _ high: Int
    ) -> Range<Int> {
        let pivot = medianOfThree(values[low], values[(low + high) / 2], values[high - 1])
        var greater = low  // values[low..<greater] > pivot
        var equal = low  // values[greater..<equal] == pivot
        var less = high  // values[less..<high] < pivot
        while equal < less {
            let value = values[equal]
            if value > pivot {
                values[equal] = values[greater]
                values[greater] = value
                greater += 1
                equal += 1
            } else if value < pivot {
                less -= 1
                values[equal] = values[less]
                values[less] = value
            } else {
                equal += 1
            }
        }
        return greater..<less
    }

    @inline(__always)
    private static func medianOfThree(_ a: Double, _ b: Double, _ c: Double) -> Double {
        max(min(a, b), min(max(a, b), c))
    }
}
