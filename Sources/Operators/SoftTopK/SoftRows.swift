import CKernels

/// SOFT top-k over a block of rows: its answer, and the product with its symmetric Jacobian
/// (diag(w) - w w^T / sum w) / tau, w = y (1 - y).
struct SoftRows {
    let direction: Direction
    /// The smallest entries are the largest of -x.
    let isSmallest: Bool
    let shrinks: Bool

    /// - Parameters:
    ///   - temperature: tau of a row.
    ///   - finiteCounts: entries that are not -inf, of each row of the block.
    func run(
        _ block: borrowing RowBlock, _ stack: StackedRows?, k: ParameterValue,
        temperature: (Int) -> Double, into output: OperatorOutput,
        _ finiteCounts: UnsafePointer<Int>, _ scratch: SoftTopKScratch
    ) throws(OperatorError) {
        switch block.x.dtype {
        case .float64:
            try run(block, stack, Double.self, k, temperature, output, finiteCounts, scratch)
        case .float32, .float16, .bfloat16:
            try run(block, stack, Float.self, k, temperature, output, finiteCounts, scratch)
        }
    }

    private func run<S: SoftScalar>(
        _ block: borrowing RowBlock, _ stack: StackedRows?, _ type: S.Type, _ k: ParameterValue,
        _ temperature: (Int) -> Double, _ output: OperatorOutput,
        _ finiteCounts: UnsafePointer<Int>, _ scratch: SoftTopKScratch
    ) throws(OperatorError) {
        let n = block.x.rowLength
        let thresholds = output["threshold"]
        let rowsAtOnce = RowGroup.rowsAtOnce(rowLength: n)
        for first in stride(from: block.rows.lowerBound, to: block.rows.upperBound, by: rowsAtOnce)
        {
            try block.context.check()
            let rows = first..<min(first + rowsAtOnce, block.rows.upperBound)
            let loaded = block.x.rows(rows, as: S.self, negated: isSmallest, &scratch.row)
            let largest = rows.reduce(0) { max($0, k.number(row: $1)) }
            scratch.shortTops.find(
                loaded, rows: rows.count, rowLength: n,
                kMax: Int(min(largest, Double(n))) + 1, isAbsolute: false)
            for row in rows {
                let finite = finiteCounts[row - block.rows.lowerBound]
                let task = Row(
                    x: UnsafeBufferPointer(start: loaded + (row - first) * n, count: n),
                    k: try demand(k.number(row: row), row, finite), tau: temperature(row),
                    finiteCount: finite, index: row - first)
                if direction == .forward {
                    let threshold = appendWeights(task, to: output.answer, scratch)
                    thresholds?.append(number: isSmallest ? -threshold : threshold)
                } else if let stack {
                    multiply(stack, row, task, output, scratch)
                }
            }
        }
    }

    /// k of a row, or as many as it has.
    private func demand(
        _ k: Double, _ row: Int, _ finiteCount: Int
    ) throws(OperatorError) -> Double {
        if k <= Double(finiteCount) { return k }
        guard shrinks else {
            throw .tooFewFiniteEntries(
                row: row, k: Int(k.rounded(.up)), finiteCount: finiteCount)
        }
        return Double(finiteCount)
    }

    /// What is asked of a row.
    private struct Row<S: SoftScalar> {
        let x: UnsafeBufferPointer<S>
        let k: Double
        let tau: Double
        let finiteCount: Int
        /// Among the rows that `scratch.shortTops` knows.
        let index: Int

        /// k = 0 or all: every entry is decided, none has a slope.
        var isSettled: Bool { k <= 0 || k >= Double(finiteCount) }

        func solve(
            _ scratch: SoftTopKScratch, into e: UnsafeMutablePointer<S>
        ) -> SoftThreshold.Root<S> {
            SoftThreshold(k: k, tau: tau)
                .solve(x, finiteCount: finiteCount, index, scratch, into: e)
        }
    }

    /// Appends y of a row, and returns its threshold.
    private func appendWeights<S: SoftScalar>(
        _ row: Row<S>, to answer: SparseRows, _ scratch: SoftTopKScratch
    ) -> Double {
        var threshold = 0.0
        answer.appendFull(S.self, &scratch.weights) { weights in
            if row.isSettled {
                threshold = settle(row, into: weights)
                return false
            }
            let root = row.solve(scratch, into: weights)
            threshold = root.threshold
            return root.entries.makeWeights(root.s)
        }
        return threshold
    }

    /// Writes ones or zeros; returns a threshold that is far enough.
    private func settle<S: SoftScalar>(
        _ row: Row<S>, into weights: UnsafeMutablePointer<S>
    ) -> Double {
        let isNone = row.k == 0
        var extreme: Double?
        for (i, value) in row.x.enumerated() {
            weights[i] = !isNone && value.isFinite ? 1 : 0
            if value.isFinite {
                let value = Double(value)
                extreme = extreme.map { isNone ? max($0, value) : min($0, value) } ?? value
            }
        }
        // exp(-746) is 0.
        let threshold = (extreme ?? 0) + (isNone ? 746 : -746) * row.tau
        let limit = Double.greatestFiniteMagnitude
        return min(max(threshold, -limit), limit)
    }

    private func multiply<S: SoftScalar>(
        _ stack: StackedRows, _ row: Int, _ task: Row<S>, _ output: OperatorOutput,
        _ scratch: SoftTopKScratch
    ) {
        let n = stack.rows.rowLength
        let weights = UnsafeMutableRawPointer(
            scratch.weights.reserve(n + Int(CKernels_lanes))
        ).assumingMemoryBound(to: S.self)
        var pivot = 0
        if task.isSettled {
            weights.update(repeating: 0, count: n)
        } else {
            let root = task.solve(scratch, into: weights)
            pivot = root.entries.makeSlopes(root.s)
        }
        for g in 0..<stack.stackCount {
            let index = stack.rowIndex(g, row)
            let c = stack.rows.rows(
                index..<index + 1, as: S.self, negated: false, &scratch.cotangent)
            // Measured from a steep entry: a constant cotangent has no gradient at all.
            var scale = 1.0
            var mean = S.softMean(weights, c, count: n, scale: scale, origin: Double(c[pivot]))
            if mean.largest > (S.isStored(as: .float64) ? 0x1p900 : 0x1p120) {
                scale = S.isStored(as: .float64) ? 0x1p-100 : 0x1p-10
                mean = S.softMean(
                    weights, c, count: n, scale: scale, origin: scale * Double(c[pivot]))
            }
            let average =
                scale * Double(c[pivot]) + (mean.total > 0 ? mean.moment / mean.total : 0)
            output.answer.appendFull(S.self, &scratch.products) { products in
                S.softProduct(
                    weights, c, count: n, scale: scale, mean: average,
                    factor: (isSmallest ? -1 : 1) / task.tau, products)
            }
        }
    }
}
