/// The three operators of the paper over a block of rows: solve each row once with `SparseTopK`,
/// then read the answer or the gradients off its support.
enum SparseTopKRows {
    enum Kind {
        case mask
        case values
        case magnitude
    }

    static func forward(
        _ kind: Kind, _ block: borrowing RowBlock, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        switch block.x.dtype {
        case .float32: try forward(kind, block, Float.self, into: output, workspace)
        case .float64: try forward(kind, block, Double.self, into: output, workspace)
        }
    }

    static func vjp(
        _ kind: Kind, _ block: borrowing RowBlock, _ cotangents: StackedRows,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        switch block.x.dtype {
        case .float32: try vjp(kind, block, cotangents, Float.self, into: output, workspace)
        case .float64: try vjp(kind, block, cotangents, Double.self, into: output, workspace)
        }
    }

    private static func forward<S: KernelScalar>(
        _ kind: Kind, _ block: borrowing RowBlock, _ type: S.Type, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        let solvers = try RowSolvers(kind, block, workspace)
        for row in block.rows {
            let x = block.x.row(row, as: S.self)
            solvers.solve(row, x, workspace)
            output.answer.appendRow(S.self, maximum: workspace.support.count) { columns, values in
                let count = workspace.support.count
                columns.update(from: workspace.support.columns, count: count)
                for i in 0..<count {
                    let weight = workspace.support.weights[i]
                    switch kind {
                    case .mask:
                        values[i] = S(weight)
                    case .values:
                        values[i] = S(workspace.support.scores[i] * weight)
                    case .magnitude:
                        let isNegative = x[Int(columns[i])] < 0
                        values[i] = (isNegative ? -weight : weight).rounded(to: S.self)
                    }
                }
                return count
            }
        }
    }

    private static func vjp<S: KernelScalar>(
        _ kind: Kind, _ block: borrowing RowBlock, _ cotangents: StackedRows, _ type: S.Type,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        let solvers = try RowSolvers(kind, block, workspace)
        for row in block.rows {
            let x = block.x.row(row, as: S.self)
            solvers.solve(row, x, workspace)
            let count = workspace.support.count
            let scratch = workspace.selection.reserve(2 * count)
            for g in 0..<cotangents.stackCount {
                let c = cotangents.rows.row(cotangents.rowIndex(g, row), as: S.self)
                for i in 0..<count {
                    scratch[i] = Double(c[Int(workspace.support.columns[i])])
                }
                switch kind {
                case .mask: maskGradient(workspace.support, scratch)
                case .values: valuesGradient(workspace.support, scratch, scratch + count)
                case .magnitude: magnitudeGradient(workspace.support, x, scratch)
                }
                output.answer.appendRow(S.self, maximum: count) { columns, values in
                    columns.update(from: workspace.support.columns, count: count)
                    for i in 0..<count { values[i] = scratch[i].rounded(to: S.self) }
                    return count
                }
            }
        }
    }

    /// g_A = D (c - sum(D c)/sum(D)), 0 elsewhere; in place over the support.
    private static func maskGradient(
        _ support: borrowing Support, _ c: UnsafeMutablePointer<Double>
    ) {
        let steepest = support.steepest
        let largest = support.largestSlope
        guard largest > 0 else {
            for i in 0..<support.count { c[i] = 0 }
            return
        }
        // Relative to the cotangent of the steepest entry, whose own difference cancels exactly;
        // halved, so that no difference overflows.
        let origin = c[steepest] / 2
        var total = 0.0
        for i in 0..<support.count { total += support.slopes[i] / largest }
        var average = 0.0
        for i in 0..<support.count {
            average += support.slopes[i] / largest / total * (c[i] / 2 - origin)
        }
        for i in 0..<support.count {
            let slope = support.slopes[i]
            c[i] = slope == 0 ? 0 : slope * ((c[i] / 2 - origin) - average).finite * 2
        }
    }

    /// g = m c + J_mask^T (x c), by the product rule.
    private static func valuesGradient(
        _ support: borrowing Support, _ c: UnsafeMutablePointer<Double>,
        _ scaled: UnsafeMutablePointer<Double>
    ) {
        for i in 0..<support.count { scaled[i] = (support.scores[i] * c[i]).finite }
        maskGradient(support, scaled)
        for i in 0..<support.count { c[i] = support.weights[i] * c[i] + scaled[i].finite }
    }

    /// Active: g = c + D (c - a) with a = sum((1+D) c~) / (sum(D) + K) in signed terms; capped: g =
    /// c; entries with x = 0: 0, also when selected.
    private static func magnitudeGradient<S: KernelScalar>(
        _ support: borrowing Support, _ x: UnsafeBufferPointer<S>,
        _ c: UnsafeMutablePointer<Double>
    ) {
        // With c* the cotangent of the steepest entry,
        // a - c* = (sum(D (c - c*)) + sum(c) - K c*) / (sum(D) + K): D (c - a) cancels nowhere.
        let scale = max(1, support.largestSlope)
        let steepest = support.steepest
        func signed(_ i: Int) -> Double { x[Int(support.columns[i])] < 0 ? -c[i] : c[i] }
        // Room for a sum of 2^31 terms and more.
        let shrink = 0x1p-64
        let origin = support.count > 0 ? signed(steepest) * shrink : 0
        var total = support.activeWeight / scale
        var average = -support.activeWeight / scale * origin
        for i in 0..<support.count where support.slopes[i] > 0 {
            total += support.slopes[i] / scale
            average += support.slopes[i] / scale * (signed(i) * shrink - origin)
            average += signed(i) * shrink / scale
        }
        average /= total
        for i in 0..<support.count {
            let slope = support.slopes[i]
            let sign: Double = x[Int(support.columns[i])] < 0 ? -1 : 1
            if support.scores[i] == 0 {
                c[i] = 0
            } else if slope > 0 {
                let difference = (sign * c[i] * shrink - origin) - average
                c[i] += sign * ((slope * difference).finite / shrink).finite
            }
        }
    }
}

/// The solver of each row of a block, from the request's parameters.
private struct RowSolvers {
    private let kind: SparseTopKRows.Kind
    private let k: ParameterValue
    private let lambda: ParameterValue
    private let exponent: Exponent
    private let first: Int

    /// Throws for the first row with fewer finite entries than k, unless rows may shrink k.
    init(
        _ kind: SparseTopKRows.Kind, _ block: borrowing RowBlock, _ workspace: Workspace
    ) throws(OperatorError) {
        self.kind = kind
        k = block.parameters["k"]
        lambda = block.parameters["lambda"]
        exponent = Exponent(p: block.parameters["p"].number(row: 0))
        first = block.rows.lowerBound
        if block.parameters["short_rows"].word == "shrink" { return }
        for row in block.rows {
            let finiteCount = workspace.finiteCounts.pointer[row - first]
            guard finiteCount >= k.integer(row: row) else {
                throw .tooFewFiniteEntries(
                    row: row, k: k.integer(row: row), finiteCount: finiteCount)
            }
        }
    }

    @inline(__always)
    func solve<S: KernelScalar>(_ row: Int, _ x: UnsafeBufferPointer<S>, _ workspace: Workspace) {
        let finiteCount = workspace.finiteCounts.pointer[row - first]
        guard finiteCount > 0 else { return workspace.support.reset(capacity: 0) }
        let solver = SparseTopK(
            k: min(k.integer(row: row), finiteCount), lambda: lambda.number(row: row),
            exponent: exponent, isMagnitude: kind == .magnitude)
        solver.solve(x, finiteCount: finiteCount, workspace)
    }
}
