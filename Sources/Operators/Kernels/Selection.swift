/// How a number is ranked.
protocol Score {
    static func of<S: KernelScalar>(_ x: S) -> S
    static func of<S: KernelScalar>(_ x: SIMD16<S>) -> SIMD16<S>
}

/// By its value: mask and values.
enum Signed: Score {
    @inline(__always) static func of<S: KernelScalar>(_ x: S) -> S { x }
    @inline(__always) static func of<S: KernelScalar>(_ x: SIMD16<S>) -> SIMD16<S> { x }
}

/// By its magnitude.
enum Absolute: Score {
    @inline(__always) static func of<S: KernelScalar>(_ x: S) -> S { abs(x) }
    @inline(__always)
    static func of<S: KernelScalar>(_ x: SIMD16<S>) -> SIMD16<S> {
        x.replacing(with: -x, where: x .< 0)
    }
}

/// Finds the few entries of a row that can matter, without sorting it.
enum Selection {
    /// The k-th and the (k+1)-th largest; `next` is nil where there are only k numbers.
    struct Ranks {
        let kth: Double
        let next: Double?
    }

    /// Copies every entry whose score may exceed `cut(s_k)` into `workspace.scores` and
    /// `workspace.columns`, columns ascending, and returns how many. -inf is never copied.
    ///
    /// 1. One pass of group maxima (a group is one SIMD lane of a block of rows of 16).
    /// 2. Their k-th largest is a lower bound t <= s_k, so that only scores >= cut(t) can matter.
    /// 3. Only blocks whose maximum reaches cut(t) are read again.
    ///
    /// `cut` must be non-decreasing with cut(t) <= t. At least k entries are copied if the row has k
    /// finite ones. O(n), and O(n log n) at worst.
    @inline(__always)
    static func gather<S: KernelScalar, Rank: Score>(
        _ row: UnsafeBufferPointer<S>, k: Int, hasInfinity: Bool, _ rank: Rank.Type,
        _ workspace: Workspace, cut: (Double) -> Double
    ) -> Int {
        let n = row.count
        _ = workspace.scores.reserve(n)
        _ = workspace.columns.reserve(n)
        // Groups of `height` numbers; four groups for each selected entry make a sharp bound.
        let height = min(16, n / (4 * k))
        if height < 2 || n < 64 || hasInfinity {
            return gatherAll(row, rank, workspace)
        }
        let blockLength = 16 * height
        let blockCount = n / blockLength
        let groupCount = blockCount * 16 + (n - blockCount * blockLength)
        let maxima = workspace.offsets.reserve(groupCount)
        groupMaxima(row, rank, height: height, blockCount: blockCount, maxima)

        let copy = workspace.selection.reserve(groupCount)
        copy.update(from: maxima, count: groupCount)
        let bound = cut(select(copy, count: groupCount, k: k).kth)
        guard bound > -.infinity else { return gatherAll(row, rank, workspace) }
        return gatherAbove(
            row, rank, bound: bound, maxima, blockLength: blockLength, blockCount: blockCount,
            workspace)
    }

    @inline(__always)
    private static func groupMaxima<S: KernelScalar, Rank: Score>(
        _ row: UnsafeBufferPointer<S>, _ rank: Rank.Type, height: Int, blockCount: Int,
        _ maxima: UnsafeMutablePointer<Double>
    ) {
        for block in 0..<blockCount {
            let start = block * 16 * height
            var best = Rank.of(load(row, start))
            for line in 1..<height {
                best = pointwiseMax(best, Rank.of(load(row, start + 16 * line)))
            }
            for lane in 0..<16 { maxima[block * 16 + lane] = Double(best[lane]) }
        }
        let tail = blockCount * 16 * height
        for i in tail..<row.count { maxima[blockCount * 16 + i - tail] = Double(Rank.of(row[i])) }
    }

    @inline(__always)
    private static func gatherAbove<S: KernelScalar, Rank: Score>(
        _ row: UnsafeBufferPointer<S>, _ rank: Rank.Type, bound: Double,
        _ maxima: UnsafeMutablePointer<Double>, blockLength: Int, blockCount: Int,
        _ workspace: Workspace
    ) -> Int {
        let scores = workspace.scores.pointer
        let columns = workspace.columns.pointer
        // Rounding to S is safe: upwards no number of S lies between, downwards only adds some.
        let typedBound = S(bound)
        let bounds = SIMD16<S>(repeating: typedBound)
        var count = 0
        for block in 0..<blockCount {
            var blockMaximum = maxima[block * 16]
            for lane in 1..<16 { blockMaximum = max(blockMaximum, maxima[block * 16 + lane]) }
            guard blockMaximum >= bound else { continue }
            var start = block * blockLength
            let end = start + blockLength
            while start < end {
                let line = Rank.of(load(row, start))
                if any(line .>= bounds) {
                    for lane in 0..<16 where line[lane] >= typedBound {
                        scores[count] = Double(line[lane])
                        columns[count] = Int32(truncatingIfNeeded: start + lane)
                        count += 1
                    }
                }
                start += 16
            }
        }
        for i in (blockCount * blockLength)..<row.count where Rank.of(row[i]) >= typedBound {
            scores[count] = Double(Rank.of(row[i]))
            columns[count] = Int32(truncatingIfNeeded: i)
            count += 1
        }
        return count
    }

    /// The way for short rows, large k and rows with -inf: every finite entry.
    @inline(__always)
    private static func gatherAll<S: KernelScalar, Rank: Score>(
        _ row: UnsafeBufferPointer<S>, _ rank: Rank.Type, _ workspace: Workspace
    ) -> Int {
        let scores = workspace.scores.pointer
        let columns = workspace.columns.pointer
        var count = 0
        for i in 0..<row.count {
            scores[count] = Double(Rank.of(row[i]))
            columns[count] = Int32(truncatingIfNeeded: i)
            count += row[i] > -.infinity ? 1 : 0
        }
        return count
    }

    /// Sixteen numbers from `start`; the one unchecked load of the kernels.
    @inline(__always)
    static func load<S: KernelScalar>(_ row: UnsafeBufferPointer<S>, _ start: Int) -> SIMD16<S> {
        assert(start >= 0 && start + 16 <= row.count)
        return UnsafeRawPointer(row.baseAddress.unsafelyUnwrapped + start)
            .loadUnaligned(as: SIMD16<S>.self)
    }

    /// Exact k-th and (k+1)-th largest of `count >= k >= 1` numbers without NaN, reordering them.
    ///
    /// Quickselect with three-way partition (ties cost nothing); after 2 log2(count) unlucky pivots
    /// the rest is sorted, so the worst case is O(n log n).
    static func select(_ values: UnsafeMutablePointer<Double>, count: Int, k: Int) -> Ranks {
        precondition(k >= 1 && k <= count)
        var low = 0
        var high = count
        let target = k - 1
        var patience = 2 * (Int.bitWidth - count.leadingZeroBitCount)
        while high - low > 1 {
            if patience == 0 {
                var rest = UnsafeMutableBufferPointer(start: values + low, count: high - low)
                rest.sort(by: >)
                break
            }
            patience -= 1
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
            if target < greater {
                high = greater
            } else if target < less {
                break
            } else {
                low = less
            }
        }
        guard count > k else { return Ranks(kth: values[target], next: nil) }
        var next = values[k]
        for i in k..<count where values[i] > next { next = values[i] }
        return Ranks(kth: values[target], next: next)
    }

    @inline(__always)
    private static func medianOfThree(_ a: Double, _ b: Double, _ c: Double) -> Double {
        max(min(a, b), min(max(a, b), c))
    }
}
