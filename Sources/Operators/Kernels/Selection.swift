import CKernels

/// Finds the few entries of a row that can matter, without sorting it.
enum Selection {
    private static let lanes = Int(CKernels_lanes)

    /// Copies every entry whose score (its value, or its magnitude) may exceed `cut(s_k)` into
    /// `scratch.scores` and `scratch.columns`, columns ascending, and returns how many. -inf is
    /// never copied.
    ///
    /// 1. One pass of group maxima (a group is one of 16 lanes of a block of lines).
    /// 2. A t that k of them reach is a lower bound of s_k: only scores >= cut(t) can matter.
    /// 3. Only blocks whose maximum reaches cut(t) are read again.
    ///
    /// `cut` must be non-decreasing with cut(t) <= t. At least k entries are copied if the row has
    /// k finite ones. O(n), and O(n log n) at worst.
    ///
    /// - Parameter known: the row's maxima in groups of `height(rowLength:k:)`, where somebody has
    ///   found them before.
    static func gather<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, k: Int, hasInfinity: Bool, isAbsolute: Bool,
        known: (_ height: Int) -> UnsafePointer<S>? = { _ in nil },
        _ scratch: inout SelectionScratch, cut: (Double) -> Double
    ) -> Int {
        let n = row.count
        let lowest = -Double(S.greatestFiniteMagnitude)
        guard let x = row.baseAddress else { return 0 }
        let scores = scratch.scores.reserve(n + lanes)
        let columns = scratch.columns.reserve(n + lanes)
        guard let height = height(rowLength: n, k: k), !hasInfinity else {
            // Short rows, large k, rows with -inf: every finite entry.
            return gather(row, above: lowest, isAbsolute: isAbsolute, &scratch)
        }
        let groupCount = groupCount(rowLength: n, height: height)
        let maxima: UnsafePointer<S>
        if let found = known(height) {
            maxima = found
        } else {
            let room = UnsafeMutableRawPointer(scratch.maxima.reserve(groupCount))
                .assumingMemoryBound(to: S.self)
            let count = S.groupMaxima(x, count: n, height: height, isAbsolute: isAbsolute, room)
            precondition(count == groupCount)
            maxima = UnsafePointer(room)
        }
        let bound = cut(Double(S.lowerBound(maxima, count: groupCount, k: k)))
        guard bound > -.infinity else {
            return gather(row, above: lowest, isAbsolute: isAbsolute, &scratch)
        }
        // Rounding to S is safe: upwards no number of S lies between, downwards only adds some.
        return S.gather(
            x, count: n, height: height, maxima, bound: S(bound), isAbsolute: isAbsolute, scores,
            columns)
    }

    /// Numbers in one of a row's groups; nil where it has no use for groups.
    ///
    /// Four groups for each selected entry make a sharp bound. Where very few are selected of very
    /// many, higher groups: finding the bound among their maxima costs less, and the blocks that
    /// are read again are still few.
    static func height(rowLength n: Int, k: Int) -> Int? {
        let height = min(max(16, min(256, n / (256 * k))), n / (4 * k))
        return height < 2 || n < 4 * lanes ? nil : height
    }

    /// Numbers of a block: a group for each lane.
    static func blockLength(height: Int) -> Int { height * lanes }

    /// Groups of a row, whole blocks of them.
    static func groupCount(rowLength n: Int, height: Int) -> Int {
        (n + blockLength(height: height) - 1) / blockLength(height: height) * lanes
    }

    /// Copies every entry whose score is `bound` or more.
    @inline(__always)
    static func gather<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, above bound: Double, isAbsolute: Bool,
        _ scratch: inout SelectionScratch
    ) -> Int {
        guard let x = row.baseAddress else { return 0 }
        let scores = scratch.scores.reserve(row.count + lanes)
        let columns = scratch.columns.reserve(row.count + lanes)
        return S.collect(
            x, count: row.count, bound: S(bound), isAbsolute: isAbsolute, scores, columns)
    }
}
