import CKernels

/// The k-th and the (k+1)-th largest of some numbers; `next` is nil where there are only k.
struct Ranks {
    let kth: Double
    let next: Double?

    /// Below this many numbers, counting them beats moving them.
    private static let countingMax = 2048

    /// Exact ranks of `count >= k >= 1` finite numbers, reordering them.
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
        let found = counting(values + low, count: high - low, k: k - low)
        return Ranks(kth: found.kth, next: found.next ?? largest(values, high, count))
    }

    /// nil where the range is empty.
    private static func largest(
        _ values: UnsafeMutablePointer<Double>, _ start: Int, _ end: Int
    ) -> Double? {
        start < end ? CKernels_largest_below(values + start, end - start, .infinity) : nil
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

    /// Bisection on the value: count(>= low) >= k > count(>= high) throughout.
    private static func counting(
        _ values: UnsafeMutablePointer<Double>, count: Int, k: Int
    ) -> Ranks {
        var low = CKernels_smallest_at_least(values, count, -.infinity)
        var high = CKernels_largest_below(values, count, .infinity).nextUp
        var pass = 0
        while true {
            // Halving the value is quick on smooth data, halving the bits is bounded on any.
            let middle = pass < 24 ? low / 2 + high / 2 : orderedMiddle(low, high)
            pass += 1
            if !(middle > low && middle < high) {
                if low.nextUp >= high { break }
                pass = 24
                continue
            }
            let above = Int(CKernels_count_at_least(values, count, middle))
            if above == k {
                let kth = CKernels_smallest_at_least(values, count, middle)
                return Ranks(
                    kth: kth,
                    next: count > k ? CKernels_largest_below(values, count, middle) : nil)
            }
            if above > k { low = middle } else { high = middle }
        }
        // low is a value that occurs, as often as it takes to be the k-th.
        if Int(CKernels_count_at_least(values, count, low)) > k {
            return Ranks(kth: low, next: low)
        }
        return Ranks(
            kth: low, next: count > k ? CKernels_largest_below(values, count, low) : nil)
    }

    /// The number half-way between two in the order of doubles: 64 steps reach neighbours.
    private static func orderedMiddle(_ low: Double, _ high: Double) -> Double {
        let a = order(low.bitPattern)
        let b = order(high.bitPattern)
        // The average without overflow.
        let middle = (a & b) + ((a ^ b) >> 1)
        return Double(bitPattern: UInt64(bitPattern: middle >= 0 ? middle : Int64.min &- middle))
    }

    /// Bits as an integer that is ordered like the doubles.
    private static func order(_ bits: UInt64) -> Int64 {
        let signed = Int64(bitPattern: bits)
        return signed >= 0 ? signed : Int64.min &- signed
    }
}
