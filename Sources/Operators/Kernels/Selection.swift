import CKernels

/// Finds the few entries of a row that can matter, without sorting it.
enum Selection {
    private static let lanes = Int(CKernels_lanes)

    /// Copies every entry whose score (its value, or its magnitude) may exceed `cut(s_k)` into
    /// `workspace.scores` and `workspace.columns`, columns ascending, and returns how many. -inf is
    /// never copied.
    ///
    /// 1. One pass of group maxima (a group is one of 16 lanes of a block of lines).
    /// 2. A t that k of them reach is a lower bound of s_k: only scores >= cut(t) can matter.
    /// 3. Only blocks whose maximum reaches cut(t) are read again.
    ///
    /// `cut` must be non-decreasing with cut(t) <= t. At least k entries are copied if the row has
    /// k finite ones. O(n), and O(n log n) at worst.
    static func gather<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, k: Int, hasInfinity: Bool, isAbsolute: Bool,
        _ workspace: Workspace, cut: (Double) -> Double
    ) -> Int {
        let n = row.count
        let lowest = -Double(S.greatestFiniteMagnitude)
        guard let x = row.baseAddress else { return 0 }
        let scores = workspace.scores.reserve(n + lanes)
        let columns = workspace.columns.reserve(n + lanes)
        // Four groups for each selected entry make a sharp bound. Where very few are selected of
        // very many, higher groups: finding the bound among their maxima costs less, and the blocks
        // that are read again are still few.
        let height = min(max(16, min(256, n / (256 * k))), n / (4 * k))
        if height < 2 || n < 4 * lanes || hasInfinity {
            // Short rows, large k, rows with -inf: every finite entry.
            return gather(row, above: lowest, isAbsolute: isAbsolute, workspace)
        }
        let maxima = UnsafeMutableRawPointer(workspace.offsets.reserve(n / height + 2 * lanes))
            .assumingMemoryBound(to: S.self)
        let groupCount = S.groupMaxima(
            x, count: n, height: height, isAbsolute: isAbsolute, maxima)
        let bound = cut(Double(S.lowerBound(maxima, count: groupCount, k: k)))
        guard bound > -.infinity else {
            return gather(row, above: lowest, isAbsolute: isAbsolute, workspace)
        }
        // Rounding to S is safe: upwards no number of S lies between, downwards only adds some.
        return S.gather(
            x, count: n, height: height, maxima, bound: S(bound), isAbsolute: isAbsolute, scores,
            columns)
    }

    /// Copies every entry whose score is `bound` or more.
    @inline(__always)
    static func gather<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, above bound: Double, isAbsolute: Bool,
        _ workspace: Workspace
    ) -> Int {
        guard let x = row.baseAddress else { return 0 }
        let scores = workspace.scores.reserve(row.count + lanes)
        let columns = workspace.columns.reserve(row.count + lanes)
        return S.collect(
            x, count: row.count, bound: S(bound), isAbsolute: isAbsolute, scores, columns)
    }
}
