import CKernels

/// Gaussian-K (Shi et al. 2019, arXiv:1911.08772): entries beyond a threshold that the mean and the
/// deviation of a row suggest for a density, instead of the k largest. Legend: u = x + residual,
/// rho the density, k = max(floor(rho n), 1).
///
/// O(n) a row: one pass for the sums, one for each check, one to gather.
struct GaussianRows {
    let density: Double
    /// z with P(|N(0, 1)| > z) = density.
    let quantile: Double
    let checksMax: Int
    let up: Double
    let down: Double
    /// As published, the mean of u is added to a threshold of |u|.
    let addsMean: Bool
    let isExactOnMiss: Bool

    /// What was selected of a row: `count` columns in `scratch.selection.columns`.
    struct Selected {
        let count: Int
        let threshold: Double
        let checks: Int
        let isInBand: Bool
    }

    /// Where the outputs of a block go, looked up once. Handed on as a whole: asked one by one in
    /// the loop, each was retained for each row, an eighth of a short row's time.
    private struct Outputs {
        let answer: SparseRows
        let residual, threshold, checks, isInBand: SparseRows?

        init(_ output: OperatorOutput) {
            answer = output.answer
            residual = output["residual"]
            threshold = output["threshold"]
            checks = output["checks"]
            isInBand = output["in_band"]
        }
    }

    func forward<S: GaussianScalar>(
        _ block: borrowing RowBlock, _ residual: DenseRows?, _ type: S.Type,
        into output: OperatorOutput, _ scratch: GaussianKScratch
    ) throws(OperatorError) {
        let outputs = Outputs(output)
        for row in block.rows {
            try block.context.check()
            try append(row, block.x, residual, S.self, to: outputs, scratch)
        }
    }

    private func append<S: GaussianScalar>(
        _ row: Int, _ x: DenseRows, _ residual: DenseRows?, _ type: S.Type, to outputs: Outputs,
        _ scratch: GaussianKScratch
    ) throws(OperatorError) {
        let n = x.rowLength
        // What is left is u without what is selected, and made of it where it will lie.
        let place = outputs.residual?.appendDense()
        let inPlace = S.isStored(as: x.dtype) ? place?.assumingMemoryBound(to: S.self) : nil
        let u = inPlace ?? Self.sums(n, S.self, scratch)
        let selected = try select(row, x, residual, u, scratch)
        let values = scratch.values.reserve(selected.count)
        let columns = scratch.selection.columns.pointer
        for i in 0..<selected.count { values[i] = Double(u[Int(columns[i])]) }
        outputs.answer.appendRow(count: selected.count, columns, values)
        // What is sent is gone, bit for bit; what stays is as it was.
        for i in 0..<selected.count { u[Int(columns[i])] = 0 }
        if let place, !S.isStored(as: x.dtype) { S.narrow(u, count: n, as: x.dtype, place) }
        outputs.threshold?.append(number: selected.threshold)
        outputs.checks?.append(number: Double(selected.checks))
        outputs.isInBand?.append(number: selected.isInBand ? 1 : 0)
    }

    /// The cotangent on what is selected: the choice itself is taken as constant.
    func vjp<S: GaussianScalar>(
        _ block: borrowing RowBlock, _ residual: DenseRows?, _ type: S.Type,
        _ cotangents: StackedRows, into output: OperatorOutput, _ scratch: GaussianKScratch
    ) throws(OperatorError) {
        for row in block.rows {
            try block.context.check()
            let u = Self.sums(block.x.rowLength, S.self, scratch)
            let count = try select(row, block.x, residual, u, scratch).count
            let values = scratch.values.reserve(count)
            for g in 0..<cotangents.stackCount {
                cotangents.rows.gather(
                    cotangents.rowIndex(g, row), scratch.selection.columns.pointer, count: count,
                    into: values)
                output.answer.appendRow(
                    count: count, scratch.selection.columns.pointer, values)
            }
        }
    }

    /// Room for u.
    private static func sums<S: GaussianScalar>(
        _ n: Int, _ type: S.Type, _ scratch: GaussianKScratch
    ) -> UnsafeMutablePointer<S> {
        UnsafeMutableRawPointer(scratch.sums.reserve(n)).assumingMemoryBound(to: S.self)
    }

    /// Computes u and which of it is selected.
    private func select<S: GaussianScalar>(
        _ row: Int, _ x: DenseRows, _ residual: DenseRows?, _ u: UnsafeMutablePointer<S>,
        _ scratch: GaussianKScratch
    ) throws(OperatorError) -> Selected {
        let n = x.rowLength
        let (mean, deviation) = try estimate(row, x, residual, u, scratch)
        let k = max(Int(density * Double(n)), 1)
        let limit = Double.greatestFiniteMagnitude
        var threshold = min(max((addsMean ? mean : 0) + quantile * deviation, -limit), limit)
        var used = threshold
        var checks = 0
        var candidates = Candidates(u, count: n, scratch)
        while checks < checksMax {
            used = threshold
            candidates.narrow(to: Self.bound(used), scratch)
            if 3 * candidates.count < 2 * k {
                threshold *= down
            } else if 3 * candidates.count > 4 * k {
                threshold *= up
            } else {
                return Selected(
                    count: candidates.count, threshold: used, checks: checks, isInBand: true)
            }
            threshold = min(max(threshold, -limit), limit)
            checks += 1
        }
        if isExactOnMiss {
            let kth = HardSelection.select(
                UnsafeBufferPointer(start: u, count: n), k: k, &scratch.selection)
            return Selected(count: k, threshold: kth, checks: checks, isInBand: false)
        }
        // As published: the threshold of the last check, not what it made of it.
        return Selected(count: candidates.count, threshold: used, checks: checks, isInBand: false)
    }

    /// The entries that reach a bound, in the scratch; when it rises they are enough to look at,
    /// when it falls there were few.
    private struct Candidates<S: GaussianScalar> {
        let u: UnsafePointer<S>
        let n: Int
        private(set) var count = 0
        private var bound = S.infinity

        /// Of numbers whose maxima `estimate` has left in the scratch.
        init(_ u: UnsafePointer<S>, count n: Int, _ scratch: GaussianKScratch) {
            self.u = u
            self.n = n
            _ = scratch.selection.scores.reserve(n + Int(CKernels_lanes))
            _ = scratch.selection.columns.reserve(n + Int(CKernels_lanes))
        }

        mutating func narrow(to bound: S, _ scratch: GaussianKScratch) {
            if bound < self.bound {
                count = S.gather(
                    u, count: n, height: GaussianRows.height, GaussianRows.maxima(n, scratch),
                    bound: bound, isAbsolute: true, scratch.selection.scores.pointer,
                    scratch.selection.columns.pointer)
            } else if bound > self.bound {
                count = CKernels_keep(
                    scratch.selection.scores.pointer, scratch.selection.columns.pointer, count,
                    Double(bound))
            }
            self.bound = bound
        }
    }

    /// Lines of 16 of which only the largest numbers are looked at again.
    private static let height = 8

    /// Room for the maxima of n numbers.
    private static func maxima<S: GaussianScalar>(
        _ n: Int, _ scratch: GaussianKScratch
    ) -> UnsafeMutablePointer<S> {
        let lanes = Int(CKernels_lanes)
        return UnsafeMutableRawPointer(scratch.selection.maxima.reserve(n / height + 2 * lanes))
            .assumingMemoryBound(to: S.self)
    }

    /// The least S above the threshold: |u| > threshold is |u| >= that.
    private static func bound<S: GaussianScalar>(_ threshold: Double) -> S {
        if threshold < 0 { return 0 }
        let near = S(threshold)
        return Double(near) > threshold ? near : near.nextUp
    }

    /// u, its mean and its deviation (n - 1; 0 for one number).
    private func estimate<S: GaussianScalar>(
        _ row: Int, _ x: DenseRows, _ residual: DenseRows?, _ u: UnsafeMutablePointer<S>,
        _ scratch: GaussianKScratch
    ) throws(OperatorError) -> (mean: Double, deviation: Double) {
        let n = x.rowLength
        let ours = x.rows(row..<row + 1, as: S.self, negated: false, &scratch.row)
        let theirs = residual.map {
            $0.rows(row..<row + 1, as: S.self, negated: false, &scratch.residual)
        }
        // Measured from any of the numbers, few digits are lost unless it is far out.
        let shift = Double(ours[0]) + Double(theirs?[0] ?? 0)
        let maxima: UnsafeMutablePointer<S> = Self.maxima(n, scratch)
        var sums = S.moments(
            ours, theirs, count: n, shift: shift, u, height: Self.height, maxima)
        // Sums of 16-bit numbers are rounded to their type before anything is made of them.
        if theirs != nil && !S.isStored(as: x.dtype) {
            Self.round(u, n, x.dtype, maxima, scratch)
            sums = S.moments(
                u, nil, count: n, shift: shift, u, height: Self.height, maxima)
        }
        let count = Double(n)
        let offset = sums.sum / count
        let squares = sums.squares - sums.sum * offset
        let isSharp = offset * offset * count < 100 * squares
        if isSharp && squares.isFinite && squares > 0x1p-900 && shift.isFinite {
            return (shift + offset, (squares / max(count - 1, 1)).squareRoot())
        }
        for i in 0..<n where !u[i].isFinite {
            throw .wrongInput(
                "residual", row: row, column: i, expected: "a number whose sum with x is finite",
                found: "\(residual?.value(row, i) ?? 0)")
        }
        return Self.careful(u, n)
    }

    /// Rounds to a type of 16 bits; a sum beyond it becomes infinite, and is refused as such.
    private static func round<S: GaussianScalar>(
        _ u: UnsafeMutablePointer<S>, _ n: Int, _ dtype: DType, _ maxima: UnsafePointer<S>,
        _ scratch: GaussianKScratch
    ) {
        let lanes = Int(CKernels_lanes)
        let blocks = n / lanes / height + 1
        let hasOverflow = (0..<blocks * lanes).contains { dtype.overflows(Double(maxima[$0])) }
        if hasOverflow {
            // A type's largest number is not what the sum was.
            for i in 0..<n where dtype.overflows(Double(u[i])) { u[i] = .infinity }
            return
        }
        let halves = UnsafeMutableRawPointer(scratch.halves.reserve(n))
        S.narrow(u, count: n, as: dtype, halves)
        S.load(halves, dtype, count: n, negated: false, into: u)
    }

    /// By two passes, scaled so that no square overflows or vanishes.
    private static func careful<S: GaussianScalar>(
        _ u: UnsafeMutablePointer<S>, _ n: Int
    ) -> (mean: Double, deviation: Double) {
        var largest = 0.0
        for i in 0..<n { largest = max(largest, abs(Double(u[i]))) }
        guard largest > 0 else { return (0, 0) }
        let unit = largest.binade
        // From the first: a constant row has exactly its own mean.
        let first = Double(u[0]) / unit
        var mean = 0.0
        for i in 0..<n { mean += (Double(u[i]) / unit - first) / Double(n) }
        mean += first
        var squares = 0.0
        for i in 0..<n {
            let difference = Double(u[i]) / unit - mean
            squares += difference * difference
        }
        return (mean * unit, (squares / Double(max(n - 1, 1))).squareRoot() * unit)
    }
}
