/// mask, values and magnitude over a block of rows: solve each row once, then read the answer
/// and the products with its Jacobian off its support.
enum SparseTopKRows {
    enum Kind {
        case mask
        case values
        case magnitude
    }

    /// Whether numbers are checked where rows are computed: short ones with few candidates, while
    /// the next are on their way from memory. Checked ahead, all of a block is read before anything
    /// of it is computed, and nothing is on its way then: a router's vjp took an eighth longer.
    static func checksAlong(
        _ block: borrowing RowBlock, _ stack: StackedRows?, isMagnitude: Bool
    ) -> Bool {
        guard block.x.rowLength <= RowGroup.lengthMax, stack?.stackCount ?? 1 == 1,
            block.inputs.allSatisfy({ $0 == nil })
        else { return false }
        let settings = SparseTopKSettings.of(block.parameters, isMagnitude: isMagnitude)
        let isThreshold = settings.choice == .auto || settings.choice == .threshold
        return isThreshold && settings.k.shared ?? .max <= ShortRows.kMax
    }

    /// - Parameter stack: cotangents or tangents; nil for forward.
    static func run(
        _ op: some SparseTopKOperator, _ direction: Direction, _ block: borrowing RowBlock,
        _ stack: StackedRows?, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        switch block.x.dtype {
        case .float64: try run(op, direction, block, stack, Double.self, output, workspace)
        case .float32, .float16, .bfloat16:
            try run(op, direction, block, stack, Float.self, output, workspace)
        }
    }

    private static func run<S: KernelScalar>(
        _ op: some SparseTopKOperator, _ direction: Direction, _ block: borrowing RowBlock,
        _ stack: StackedRows?, _ type: S.Type, _ output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        // Not by `with`: around a function of this size it kept others from being inlined.
        let scratch = workspace.scratch(SparseTopKScratch.self)
        let kind = op.kind
        var isChecked = !checksAlong(block, stack, isMagnitude: kind == .magnitude)
        // Where `Validation` has written them, or will.
        let finiteCounts = workspace.finiteCounts.reserve(block.rows.count)
        if !isChecked {
            finiteCounts.initialize(repeating: block.x.rowLength, count: block.rows.count)
        }
        let solver = SparseTopKSolver(isMagnitude: kind == .magnitude, block, finiteCounts)
        scratch.lastSolver = solver.choice
        if isChecked { try solver.checkCounts(block) }
        let products = SupportProducts(
            kind: kind, sign: solver.settings.isSmallest ? -1 : 1,
            givesX: direction != .vjp || solver.settings.givesX,
            givesLambda: direction == .vjp && solver.settings.givesLambda)
        scratch.support.isDerived = direction != .forward || solver.settings.linearizes
        let isSmallest = solver.settings.isSmallest
        let n = block.x.rowLength
        let rowsAtOnce = RowGroup.rowsAtOnce(rowLength: n)
        for first in stride(from: block.rows.lowerBound, to: block.rows.upperBound, by: rowsAtOnce)
        {
            try block.context.check()
            let rows = first..<min(first + rowsAtOnce, block.rows.upperBound)
            if !isChecked && !(block.x.isFinite(rows) && stack?.rows.isFinite(rows) ?? true) {
                // All of the block, for the error that it has, or for the -inf that may be.
                try Validation.check(op.descriptor, direction, block, stack, workspace)
                try solver.checkCounts(block)
                isChecked = true
            }
            scratch.shortRows.bring(
                isChecked || rows.upperBound + rowsAtOnce > block.rows.upperBound
                    ? nil : rows.upperBound, block.x, stack?.rows)
            let x = block.x.rows(rows, as: S.self, negated: isSmallest, &scratch.row)
            solver.prepare(rows, x, rowLength: n, scratch)
            try run(
                rows, of: block, x, direction, stack, solver, products, to: output, scratch)
        }
    }

    /// A few rows that are prepared.
    @inline(__always)
    private static func run<S: KernelScalar>(
        _ rows: Range<Int>, of block: borrowing RowBlock, _ x: UnsafePointer<S>,
        _ direction: Direction, _ stack: StackedRows?, _ solver: SparseTopKSolver,
        _ products: SupportProducts, to output: OperatorOutput, _ scratch: SparseTopKScratch
    ) throws(OperatorError) {
        let kind = products.kind
        let first = rows.lowerBound
        let n = block.x.rowLength
        let multipliesTogether =
            direction == .vjp && kind != .values && S.self == Float.self && stack?.stackCount == 1
        let linearizes = direction == .forward && solver.settings.linearizes
        // A mask's gradient is 0 there.
        let skipsHard = direction != .forward && kind == .mask
        var cotangents: UnsafePointer<Float>?
        var row = first
        while row < rows.upperBound {
            // Short rows that are solved go on together.
            let together = scratch.shortRows.solvedCount(from: row - first)
            let count = max(1, together)
            let own = row - first..<row - first + count
            defer { row += count }
            if together > 0, multipliesTogether, let stack {
                let c =
                    cotangents
                    ?? stack.rows.rows(
                        rows, as: Float.self, negated: false, &scratch.cotangents)
                cotangents = c
                products.append(own, c, to: output, scratch)
                continue
            }
            let x = UnsafeBufferPointer(start: x + own.lowerBound * n, count: count * n)
            var report: Dykstra.Report?
            if together > 0 {
                scratch.shortRows.emit(own, skipsHard: skipsHard, to: &scratch.support)
            } else {
                report = try solver.solve(row, of: block, x, scratch)
            }
            if kind == .magnitude { setSigns(x, scratch) }
            if let report { append(report, solver, stack?.stackCount ?? 1, to: output) }
            if direction == .forward {
                products.appendAnswer(to: output, scratch)
                if linearizes { products.appendLinearization(to: output, scratch) }
            } else if let stack {
                products.append(direction, stack, row, to: output, scratch)
            }
        }
    }

    /// What dykstra says, one for each row of the answer: solved once, it serves every cotangent.
    private static func append(
        _ report: Dykstra.Report, _ solver: SparseTopKSolver, _ stackCount: Int,
        to output: OperatorOutput
    ) {
        let hasConverged = solver.hasConverged(report)
        for _ in 0..<stackCount {
            output["iterations"]?.append(number: Double(report.iterations))
            output["residual"]?.append(number: report.residual)
            output["converged"]?.append(number: hasConverged ? 1 : 0)
        }
        if !hasConverged { output.nonconvergedRowCount += 1 }
    }

    /// sign(x) of the support's entries; 0 where x is 0.
    private static func setSigns<S: KernelScalar>(
        _ x: UnsafeBufferPointer<S>, _ scratch: SparseTopKScratch
    ) {
        guard let base = x.baseAddress else { return }
        let count = scratch.support.count
        let signs = scratch.signs.reserve(count)
        S.signs(base, scratch.support.positions, count: count, signs)
    }
}
