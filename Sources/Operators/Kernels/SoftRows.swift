import CKernels

/// SOFT top-k over a block of rows: its answer, and the product with its symmetric Jacobian
/// (diag(w) - w w^T / sum w) / tau, w = y (1 - y).
struct SoftRows {
    let direction: Direction
    /// The smallest entries are the largest of -x.
    let isSmallest: Bool
    let shrinks: Bool

    /// - Parameter temperature: tau of a row.
    func run(
        _ block: borrowing RowBlock, _ stack: StackedRows?, k: ParameterValue,
        temperature: (Int) -> Double, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        switch block.x.dtype {
        case .float64:
            try run(block, stack, Double.self, k, temperature, output, workspace)
        case .float32, .float16, .bfloat16:
            try run(block, stack, Float.self, k, temperature, output, workspace)
        }
    }

    private func run<S: KernelScalar>(
        _ block: borrowing RowBlock, _ stack: StackedRows?, _ type: S.Type, _ k: ParameterValue,
        _ temperature: (Int) -> Double, _ output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        let n = block.x.rowLength
        let thresholds = output["threshold"]
        for row in block.rows {
            try block.cancellation.check()
            let finiteCount = workspace.finiteCounts.pointer[row - block.rows.lowerBound]
            var k = k.number(row: row)
            if k > Double(finiteCount) {
                guard shrinks else {
                    throw .tooFewFiniteEntries(
                        row: row, k: Int(k.rounded(.up)), finiteCount: finiteCount)
                }
                k = Double(finiteCount)
            }
            let loaded = block.x.rows(
                row..<row + 1, as: S.self, negated: isSmallest, &workspace.row)
            let x = UnsafeBufferPointer(start: loaded, count: n)
            let tau = temperature(row)
            var threshold = 0.0
            if k > 0 && k < Double(finiteCount) {
                let root = SoftThreshold(k: k, tau: tau).solve(
                    x, finiteCount: finiteCount, workspace)
                threshold = root.threshold
                let distances = SoftThreshold.distances(n, S.self, workspace)
                if direction == .forward {
                    S.softWeights(distances, count: n, root.s)
                } else {
                    S.softSlopes(distances, count: n, root.s)
                }
            } else {
                threshold = settle(x, isNone: k == 0, tau, workspace)
            }
            if direction == .forward {
                output.answer.appendFull(SoftThreshold.distances(n, S.self, workspace), count: n)
                thresholds?.append(number: isSmallest ? -threshold : threshold)
            } else if let stack {
                multiply(stack, row, S.self, tau, output, workspace)
            }
        }
    }

    /// k = 0 or all: every entry is decided, no entry has a slope. Returns a threshold that is far
    /// enough.
    private func settle<S: KernelScalar>(
        _ x: UnsafeBufferPointer<S>, isNone: Bool, _ tau: Double, _ workspace: Workspace
    ) -> Double {
        let weights = SoftThreshold.distances(x.count, S.self, workspace)
        var extreme: Double?
        for (i, value) in x.enumerated() {
            let isTaken = !isNone && value.isFinite
            weights[i] = isTaken && direction == .forward ? 1 : 0
            if value.isFinite {
                let value = Double(value)
                extreme = extreme.map { isNone ? max($0, value) : min($0, value) } ?? value
            }
        }
        // exp(-746) is 0.
        let threshold = (extreme ?? 0) + (isNone ? 746 : -746) * tau
        let limit = Double.greatestFiniteMagnitude
        return min(max(threshold, -limit), limit)
    }

    private func multiply<S: KernelScalar>(
        _ stack: StackedRows, _ row: Int, _ type: S.Type, _ tau: Double,
        _ output: OperatorOutput, _ workspace: Workspace
    ) {
        let n = stack.rows.rowLength
        let weights = SoftThreshold.distances(n, S.self, workspace)
        let products = UnsafeMutableRawPointer(workspace.products.reserve(n))
            .assumingMemoryBound(to: S.self)
        let pivot = S.softSteepest(weights, count: n)
        for g in 0..<stack.stackCount {
            let index = stack.rowIndex(g, row)
            let c = stack.rows.rows(index..<index + 1, as: S.self, negated: false, &workspace.row)
            // Measured from a steep entry: a constant cotangent has no gradient at all.
            var scale = 1.0
            var mean = S.softMean(weights, c, count: n, scale: scale, origin: Double(c[pivot]))
            if mean.largest > 0x1p900 {
                scale = 0x1p-100
                mean = S.softMean(
                    weights, c, count: n, scale: scale, origin: scale * Double(c[pivot]))
            }
            let average =
                scale * Double(c[pivot]) + (mean.total > 0 ? mean.moment / mean.total : 0)
            S.softProduct(
                weights, c, count: n, scale: scale, mean: average,
                inverse: (isSmallest ? -1 : 1) / tau, products)
            output.answer.appendFull(products, count: n)
        }
    }
}
