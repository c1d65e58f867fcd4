import CKernels

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
        if kind == .mask {
            return workspace.support.emit(weights, to: output.answer, workspace.reordering)
        }
        let values = workspace.products.reserve(count)
        switch kind {
        case .mask, .values:
            let scores = workspace.support.scores
            for i in 0..<count { values[i] = (sign * scores[i] * weights[i]).finite }
        case .magnitude:
            let signs = workspace.signs.pointer
            for i in 0..<count { values[i] = signs[i] * weights[i].finite }
        }
        workspace.support.emit(values, to: output.answer, workspace.reordering)
    }

    /// J^T c or J t for each of the row's cotangents or tangents.
    func append(
        _ direction: Direction, _ stack: StackedRows, _ row: Int, to output: OperatorOutput,
        _ workspace: Workspace
    ) {
        let count = workspace.support.count
        for g in 0..<stack.stackCount {
            let target = workspace.products.reserve(2 * count + 16)
            stack.rows.gather(
                stack.rowIndex(g, row), workspace.support.columns, count: count, into: target)
            append(direction, to: output, workspace)
        }
    }

    /// The same of the numbers in `workspace.products`.
    private func append(_ direction: Direction, to output: OperatorOutput, _ workspace: Workspace) {
        let count = workspace.support.count
        let c = workspace.products.pointer
        let scale = Self.scale(c, count)
        if scale != 1 { for i in 0..<count { c[i] *= scale } }
        var lambdaGradient = 0.0
        switch kind {
        case .mask:
            for segment in workspace.support.segments {
                lambdaGradient += Jacobian(workspace.support, segment)
                    .applyMask(c + segment.start)
            }
            for i in 0..<count { c[i] = sign * c[i].finite }
        case .values:
            lambdaGradient = applyValues(direction, c, c + count, workspace)
        case .magnitude:
            let signs = workspace.signs.pointer
            for i in 0..<count { c[i] *= signs[i] }
            for segment in workspace.support.segments {
                let jacobian = Jacobian(workspace.support, segment)
                let start = c + segment.start
                if direction == .vjp {
                    lambdaGradient += jacobian.applyMagnitudeTransposed(start)
                } else {
                    jacobian.applyMagnitude(start)
                }
            }
            for i in 0..<count { c[i] *= signs[i] }
        }
        if scale != 1 {
            for i in 0..<count { c[i] = (c[i] / scale).finite }
            lambdaGradient /= scale
        }
        if givesX {
            workspace.support.emit(c, to: output.answer, workspace.reordering)
        } else {
            output.answer.appendRow(count: 0, workspace.support.columns, c)
        }
        if givesLambda { output["lambda_gradient"]?.append(number: lambdaGradient.finite) }
    }

    /// A power of two that brings numbers at the ends of the range to its middle; 1 for others.
    private static func scale(_ c: UnsafePointer<Double>, _ count: Int) -> Double {
        let largest = CKernels_largest_magnitude(c, count)
        return largest > 0x1p900 ? 0x1p-200 : largest > 0 && largest < 0x1p-900 ? 0x1p200 : 1
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
                .applyMask(inner + segment.start)
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
                into: b + segment.start,
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
