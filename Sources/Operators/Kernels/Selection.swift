import CKernels

/// Finds the few entries of a row that can matter, without sorting it.
enum Selection {
    private static let lanes = Int(CKernels_lanes)

    /// Copies every entry whose score (its value, or its magnitude) may exceed `cut(s_k)` into
    /// `workspace.scores` and `workspace.columns`, columns ascending, and returns how many. -inf is
    /// never copied.
    ///
    /// 1. One pass of group maxima (a group is one of 16 lanes of a block of lines).
    /// 2. Their k-th largest is a lower bound t <= s_k, so that only scores >= cut(t) can matter.
    /// 3. Only blocks whose maximum reaches cut(t) are read again.
    ///
    /// `cut` must be non-decreasing with cut(t) <= t. At least k entries are copied if the row has
    /// k finite ones. O(n), and O(n log n) at worst.
    static func gather<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, k: Int, hasInfinity: Bool, isAbsolute: Bool,
        _ workspace: Workspace, cut: (Double) -> Double
    ) -> Int {
        let n = row.count
        guard let x = row.baseAddress else { return 0 }
        let scores = workspace.scores.reserve(n)
        let columns = workspace.columns.reserve(n)
        // Groups of `height` numbers; four groups for each selected entry make a sharp bound.
        let height = min(16, n / (4 * k))
        if height < 2 || n < 4 * lanes || hasInfinity {
            return gatherAll(row, isAbsolute: isAbsolute, workspace)
        }
        let blockLength = lanes * height
        let blockCount = n / blockLength
        let tail = blockCount * blockLength
        let groupCount = blockCount * lanes + (n - tail)
        let maxima = workspace.offsets.reserve(groupCount)
        S.groupMaxima(x, blocks: blockCount, height: height, isAbsolute: isAbsolute, maxima)
        for i in tail..<n {
            maxima[blockCount * lanes + i - tail] = Double(isAbsolute ? abs(x[i]) : x[i])
        }
        let copy = workspace.selection.reserve(groupCount)
        copy.update(from: maxima, count: groupCount)
        let bound = cut(Ranks.select(copy, count: groupCount, k: k).kth)
        guard bound > -.infinity else {
            return gatherAll(row, isAbsolute: isAbsolute, workspace)
        }
        // Rounding to S is safe: upwards no number of S lies between, downwards only adds some.
        let typedBound = S(bound)
        var count = 0
        for block in 0..<blockCount {
            guard largest(maxima + block * lanes) >= bound else { continue }
            let start = block * blockLength
            count += S.gather(
                x, start..<start + blockLength, bound: typedBound, isAbsolute: isAbsolute,
                scores + count, columns + count)
        }
        count += S.gather(
            x, tail..<n, bound: typedBound, isAbsolute: isAbsolute, scores + count, columns + count)
        return count
    }

    @inline(__always)
    private static func largest(_ group: UnsafeMutablePointer<Double>) -> Double {
        var largest = group[0]
        for lane in 1..<lanes { largest = max(largest, group[lane]) }
        return largest
    }

    /// The way for short rows, large k and rows with -inf: every finite entry.
    private static func gatherAll<S: KernelScalar>(
        _ row: UnsafeBufferPointer<S>, isAbsolute: Bool, _ workspace: Workspace
    ) -> Int {
        let scores = workspace.scores.pointer
        let columns = workspace.columns.pointer
        var count = 0
        for i in 0..<row.count {
            scores[count] = Double(isAbsolute ? abs(row[i]) : row[i])
            columns[count] = Int32(truncatingIfNeeded: i)
            count += row[i] > -.infinity ? 1 : 0
        }
        return count
    }
}
