/// The three operators of the paper over a block of rows: solve each row once, then read the answer
/// and the products with its Jacobian off its support.
enum PaperRows {
    enum Kind {
        case mask
        case values
        case magnitude
    }

    /// - Parameter stack: cotangents or tangents; nil for forward.
    static func run(
        _ kind: Kind, _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        switch block.x.dtype {
        case .float64:
            try run(kind, direction, block, stack, Double.self, into: output, workspace)
        case .float32, .float16, .bfloat16:
            try run(kind, direction, block, stack, Float.self, into: output, workspace)
        }
    }

    private static func run<S: KernelScalar>(
        _ kind: Kind, _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        _ type: S.Type, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        let isMagnitude = kind == .magnitude
        let solver = try PaperSolver(isMagnitude: isMagnitude, block, workspace)
        let settings = solver.settings
        let isSmallest = settings.isSmallest
        let sign: Double = isSmallest ? -1 : 1
        let products = SupportProducts(
            kind: kind, sign: sign, givesX: direction != .vjp || settings.givesX,
            givesLambda: direction == .vjp && settings.givesLambda)
        let isLinearized = direction == .forward && settings.linearizes
        workspace.support.isDerived = direction != .forward || isLinearized
        // A mask's gradient is 0 there.
        let skipsHard = direction != .forward && kind == .mask
        let n = block.x.rowLength
        let rowsAtOnce = ShortRows.rowsAtOnce(rowLength: n)
        for first in stride(from: block.rows.lowerBound, to: block.rows.upperBound, by: rowsAtOnce)
        {
            try block.cancellation.check()
            let rows = first..<min(first + rowsAtOnce, block.rows.upperBound)
            let loaded = block.x.rows(rows, as: S.self, negated: isSmallest, &workspace.row)
            solver.prepare(rows, loaded, rowLength: n, workspace)
            var row = first
            while row < rows.upperBound {
                // Short rows that are solved go on together.
                let together = workspace.shortRows.solvedCount(from: row - first)
                let count = max(1, together)
                let start = loaded + (row - first) * n
                let x = UnsafeBufferPointer(start: start, count: count * n)
                var report: Dykstra.Report?
                if together > 0 {
                    workspace.shortRows.emit(
                        row - first..<row - first + count, skipsHard: skipsHard,
                        to: &workspace.support)
                } else {
                    report = try solver.solve(row, x, workspace)
                }
                if isMagnitude { setSigns(x, workspace) }
                if let report { append(report, solver, stack?.stackCount ?? 1, to: output) }
                if direction == .forward {
                    products.appendAnswer(to: output, workspace)
                    if isLinearized { products.appendLinearization(to: output, workspace) }
                } else if let stack {
                    products.append(direction, stack, row, to: output, workspace)
                }
                row += count
            }
        }
    }

    /// What dykstra says, one for each row of the answer: solved once, it serves every cotangent.
    private static func append(
        _ report: Dykstra.Report, _ solver: PaperSolver, _ stackCount: Int,
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
        _ x: UnsafeBufferPointer<S>, _ workspace: Workspace
    ) {
        guard let base = x.baseAddress else { return }
        let count = workspace.support.count
        let signs = workspace.signs.reserve(count)
        S.signs(base, workspace.support.positions, count: count, signs)
    }
}
