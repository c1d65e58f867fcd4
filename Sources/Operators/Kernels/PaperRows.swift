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
        let isSmallest = !isMagnitude && !block.parameters["largest"].boolean
        let sign: Double = isSmallest ? -1 : 1
        let wrt = direction == .vjp ? block.parameters["wrt"].words : ["x"]
        let products = SupportProducts(
            kind: kind, sign: sign, givesX: wrt.contains("x"), givesLambda: wrt.contains("lambda"))
        let isLinearized = direction == .forward && block.parameters["linearization"].boolean
        for row in block.rows {
            try block.cancellation.check()
            let x = block.x.row(row, as: S.self, negated: isSmallest, &workspace.row)
            let report = solver.solve(row, x, workspace)
            if isMagnitude { setSigns(x, workspace) }
            if let report {
                let hasConverged = solver.hasConverged(report)
                // One for each row of the answer: solved once, it serves every cotangent.
                for _ in 0..<(stack?.stackCount ?? 1) {
                    output["iterations"]?.append(number: Double(report.iterations))
                    output["residual"]?.append(number: report.residual)
                    output["converged"]?.append(number: hasConverged ? 1 : 0)
                }
                if !hasConverged { output.nonconvergedRowCount += 1 }
            }
            switch direction {
            case .forward:
                products.appendAnswer(to: output, workspace)
                if isLinearized { products.appendLinearization(to: output, workspace) }
            case .vjp, .jvp:
                guard let stack else { preconditionFailure("run has checked the stack") }
                for g in 0..<stack.stackCount {
                    let target = workspace.products.reserve(2 * workspace.support.count)
                    stack.rows.gather(
                        stack.rowIndex(g, row), workspace.support.columns,
                        count: workspace.support.count, into: target)
                    products.append(direction, to: output, workspace)
                }
            }
        }
    }

    /// sign(x) of the support's entries; 0 where x is 0.
    private static func setSigns<S: KernelScalar>(
        _ x: UnsafeBufferPointer<S>, _ workspace: Workspace
    ) {
        let count = workspace.support.count
        let signs = workspace.signs.reserve(count)
        let columns = workspace.support.columns
        for i in 0..<count {
            let value = x[Int(columns[i])]
            signs[i] = value > 0 ? 1 : value < 0 ? -1 : 0
        }
    }
}

/// What is read off a solved row.
struct SupportProducts {
    let kind: PaperRows.Kind
    /// -1 where the smallest are selected: the operator at -x.
    let sign: Double
    /// Whether a gradient by x is asked for, and one by lambda.
    let givesX: Bool
    let givesLambda: Bool

    /// mask: m; values: x m; magnitude: sign(x) |y|.
    func appendAnswer(to output: OperatorOutput, _ workspace: Workspace) {
        let count = workspace.support.count
        let weights = workspace.support.weights
        let values = workspace.products.reserve(count)
        switch kind {
        case .mask:
            for i in 0..<count { values[i] = weights[i] }
        case .values:
            let scores = workspace.support.scores
            for i in 0..<count { values[i] = sign * scores[i] * weights[i] }
        case .magnitude:
            let signs = workspace.signs.pointer
            for i in 0..<count { values[i] = signs[i] * weights[i] }
        }
        workspace.support.emit(values, to: output.answer, workspace.reordering)
    }

    /// J^T c or J t, of the numbers in `workspace.products`.
    func append(_ direction: Direction, to output: OperatorOutput, _ workspace: Workspace) {
        let count = workspace.support.count
        let c = workspace.products.pointer
        var lambdaGradient = 0.0
        switch kind {
        case .mask:
            for segment in workspace.support.segments {
                lambdaGradient += Jacobian(workspace.support, segment)
                    .applyMask(c + segment.entries.lowerBound)
            }
            for i in 0..<count { c[i] = sign * c[i].finite }
        case .values:
            lambdaGradient = applyValues(direction, c, c + count, workspace)
        case .magnitude:
            let signs = workspace.signs.pointer
            for i in 0..<count { c[i] *= signs[i] }
            for segment in workspace.support.segments {
                let jacobian = Jacobian(workspace.support, segment)
                let start = c + segment.entries.lowerBound
                if direction == .vjp {
                    lambdaGradient += jacobian.applyMagnitudeTransposed(start)
                } else {
                    jacobian.applyMagnitude(start)
                }
            }
            for i in 0..<count { c[i] *= signs[i] }
        }
        if givesX {
            workspace.support.emit(c, to: output.answer, workspace.reordering)
        } else {
            output.answer.appendRow(count: 0, workspace.support.columns, c)
        }
        if givesLambda { output["lambda_gradient"]?.append(number: lambdaGradient.finite) }
    }

    /// The product rule: J^T c = m c + J_mask (s c), J t = m t + s (J_mask t), with s = -x for the
    /// smallest: both signs cancel.
    private func applyValues(
        _ direction: Direction, _ c: UnsafeMutablePointer<Double>,
        _ inner: UnsafeMutablePointer<Double>, _ workspace: Workspace
    ) -> Double {
        let count = workspace.support.count
        let scores = workspace.support.scores
        let weights = workspace.support.weights
        let isTransposed = direction == .vjp
        for i in 0..<count { inner[i] = isTransposed ? (scores[i] * c[i]).finite : c[i] }
        var lambdaGradient = 0.0
        for segment in workspace.support.segments {
            lambdaGradient += Jacobian(workspace.support, segment)
                .applyMask(inner + segment.entries.lowerBound)
        }
        for i in 0..<count {
            let coupled = isTransposed ? inner[i] : scores[i] * inner[i].finite
            c[i] = (weights[i] * c[i] + coupled.finite).finite
        }
        return sign * lambdaGradient
    }

    /// The vectors a, b, d of J^T c = a c - b <d, c> and J t = a t - d <b, t>.
    func appendLinearization(to output: OperatorOutput, _ workspace: Workspace) {
        let count = workspace.support.count
        let a = workspace.products.reserve(3 * count)
        let b = a + count
        let d = b + count
        for segment in workspace.support.segments {
            Jacobian(workspace.support, segment).shares(
                into: b + segment.entries.lowerBound,
                weight: kind == .magnitude ? segment.weight : 0)
        }
        let (weights, scores) = (workspace.support.weights, workspace.support.scores)
        let (slopes, signs) = (workspace.support.slopes, workspace.signs.pointer)
        for i in 0..<count {
            switch kind {
            case .mask:
                a[i] = sign * slopes[i]
                d[i] = sign * slopes[i]
            case .values:
                d[i] = (slopes[i] * scores[i]).finite
                a[i] = (weights[i] + d[i]).finite
            case .magnitude:
                let isActive = slopes[i] > 0
                a[i] = signs[i] == 0 ? 0 : isActive ? 1 + slopes[i] : 1
                b[i] *= signs[i]
                d[i] = isActive ? signs[i] * (1 + slopes[i]) : 0
            }
        }
        for (name, values) in [("a", a), ("b", b), ("d", d)] {
            guard let rows = output[name] else { continue }
            workspace.support.emit(values, to: rows, keepsZeros: true, workspace.reordering)
        }
    }
}
