import CKernels

/// The k entries of largest magnitude, as columns: among equals the lower column wins.
enum HardSelection {
    /// Leaves the columns, ascending, in `scratch.columns` and their magnitudes in
    /// `scratch.scores`; returns the k-th magnitude. O(n) on average, O(n log n) at worst.
    ///
    /// - Parameter known: the k-th magnitude, where it is known.
    static func select<S: KernelScalar>(
        _ x: UnsafeBufferPointer<S>, k: Int, known: Double? = nil,
        _ scratch: inout SelectionScratch
    ) -> Double {
        precondition(k >= 1 && k <= x.count)
        let count: Int
        if let known {
            count = Selection.gather(x, above: known, isAbsolute: true, &scratch)
        } else {
            count = Selection.gather(
                x, k: k, hasInfinity: false, isAbsolute: true, &scratch
            ) { $0 }
        }
        return narrow(count: count, k: k, known: known, &scratch)
    }

    /// The same among the `count` candidates that lie in the scratch.
    static func narrow(
        count: Int, k: Int, known: Double? = nil, _ scratch: inout SelectionScratch
    ) -> Double {
        let scores = scratch.scores.pointer
        let columns = scratch.columns.pointer
        let kth =
            known
            ?? Ranks.select(scores, count: count, k: k, scratch.reordered.reserve(count)).kth
        let reaching = CKernels_keep(scores, columns, count, kth)
        guard reaching > k else { return kth }
        // Of those that equal the k-th, the first.
        var tiesLeft = k
        for i in 0..<reaching where scores[i] > kth { tiesLeft -= 1 }
        var kept = 0
        for i in 0..<reaching {
            let score = scores[i]
            if score == kth {
                if tiesLeft == 0 { continue }
                tiesLeft -= 1
            }
            scores[kept] = score
            columns[kept] = columns[i]
            kept += 1
        }
        return kth
    }
}
