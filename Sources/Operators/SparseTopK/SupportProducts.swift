import CKernels

/// What is read off a solved row.
struct SupportProducts {
    let kind: SparseTopKRows.Kind
    /// -1 where the smallest are selected: the operator at -x.
    let sign: Double
    /// Whether a gradient by x is asked for, and one by lambda.
    let givesX: Bool
    let givesLambda: Bool

    /// mask: m; values: x m; magnitude: sign(x) |y|.
    func appendAnswer(to output: OperatorOutput, _ scratch: SparseTopKScratch) {
        let count = scratch.support.count
        let weights = scratch.support.weights
        var values = scratch.support.weights
        switch kind {
        case .mask: break
        case .values:
            values = scratch.products.reserve(count)
            let scores = scratch.support.scores
            for i in 0..<count { values[i] = (sign * scores[i] * weights[i]).finite }
        case .magnitude:
            values = scratch.products.reserve(count)
            let signs = scratch.signs.pointer
            for i in 0..<count { values[i] = signs[i] * weights[i].finite }
        }
        scratch.support.emit(
            scratch.support.whole, values, to: output.answer, scratch.reordering)
    }

    /// J^T c or J t for each row's cotangents or tangents.
    ///
    /// - Parameter row: the first of the support's, in the batch.
    func append(
        _ direction: Direction, _ stack: StackedRows, _ row: Int, to output: OperatorOutput,
        _ scratch: SparseTopKScratch
    ) {
        // Numbers that may need a scale of their own go row by row, as do several a row.
        let mayNeedScale = stack.rows.dtype == .float64
        let goTogether = stack.stackCount == 1 && !mayNeedScale
        for r in 0..<(goTogether ? 1 : scratch.support.rowCount) {
            let part = goTogether ? scratch.support.whole : scratch.support.part(row: r)
            let count = part.entries.count
            for g in 0..<stack.stackCount {
                let c = scratch.products.reserve(2 * count + 16)
                stack.rows.gather(
                    stack.rowIndex(g, row), scratch.support.positions + part.entries.lowerBound,
                    count: count, into: c)
                append(part, c, mayNeedScale, direction, to: output, scratch)
            }
        }
    }

    /// The same of a part's numbers c, behind which there is room for as many.
    private func append(
        _ part: Support.Part, _ c: UnsafeMutablePointer<Double>, _ mayNeedScale: Bool,
        _ direction: Direction, to output: OperatorOutput, _ scratch: SparseTopKScratch
    ) {
        let count = part.entries.count
        let scale = mayNeedScale ? Self.scale(c, count) : 1
        if scale != 1 { for i in 0..<count { c[i] *= scale } }
        let gradients = scratch.gradients.reserve(part.segments.count)
        let jacobian = Jacobian(scratch.support, part, gradients)
        switch kind {
        case .mask:
            jacobian.applyMask(c)
            for i in 0..<count { c[i] = sign * c[i].finite }
        case .values:
            apply(jacobian, part, isTransposed: direction == .vjp, c, scratch)
        case .magnitude:
            let signs = scratch.signs.pointer + part.entries.lowerBound
            for i in 0..<count { c[i] *= signs[i] }
            jacobian.applyMagnitude(c, isTransposed: direction == .vjp)
            for i in 0..<count { c[i] *= signs[i] }
        }
        if scale != 1 { for i in 0..<count { c[i] = (c[i] / scale).finite } }
        if givesX {
            scratch.support.emit(part, c, to: output.answer, scratch.reordering)
        } else {
            for _ in part.rows { output.answer.appendRow(count: 0, nil, c) }
        }
        guard givesLambda, let rows = output["lambda_gradient"] else { return }
        let factor = kind == .values ? sign / scale : 1 / scale
        // A segment is a row, or all of them are one.
        let perRow = part.segments.count / part.rows.count
        for r in 0..<part.rows.count {
            var sum = 0.0
            for i in 0..<perRow { sum += gradients[r * perRow + i] }
            rows.append(number: (factor * sum).finite)
        }
    }

    /// J^T c of some short rows that are solved, for a cotangent each.
    ///
    /// - Parameter c: of all rows that are at hand.
    func append(
        _ solved: Range<Int>, _ c: UnsafePointer<Float>, to output: OperatorOutput,
        _ scratch: SparseTopKScratch
    ) {
        scratch.shortRows.multiply(solved, c, sign: sign) { products in
            let values = products.values.pointer
            if givesX {
                output.answer.appendRows(
                    UnsafeBufferPointer(start: products.segments.pointer, count: solved.count),
                    products.columns.pointer, values, keepsZeros: false)
            } else {
                for _ in solved { output.answer.appendRow(count: 0, nil, values) }
            }
            guard givesLambda, let gradients = output["lambda_gradient"] else { return }
            for r in 0..<solved.count {
                gradients.append(number: products.gradients.pointer[r].finite)
            }
        }
    }

    /// A power of two that brings numbers at the ends of the range to its middle; 1 for others.
    private static func scale(_ c: UnsafePointer<Double>, _ count: Int) -> Double {
        let largest = CKernels_largest_magnitude(c, count)
        return largest > 0x1p900 ? 0x1p-200 : largest > 0 && largest < 0x1p-900 ? 0x1p200 : 1
    }

    /// The product rule: J^T c = m c + J_mask (s c), J t = m t + s (J_mask t), with s = -x for the
    /// smallest: both signs cancel.
    private func apply(
        _ jacobian: Jacobian, _ part: Support.Part, isTransposed: Bool,
        _ c: UnsafeMutablePointer<Double>, _ scratch: SparseTopKScratch
    ) {
        let count = part.entries.count
        let scores = scratch.support.scores + part.entries.lowerBound
        let weights = scratch.support.weights + part.entries.lowerBound
        let inner = c + count
        for i in 0..<count { inner[i] = isTransposed ? (scores[i] * c[i]).finite : c[i] }
        jacobian.applyMask(inner)
        for i in 0..<count {
            let coupled = isTransposed ? inner[i] : scores[i] * inner[i].finite
            c[i] = (weights[i] * c[i] + coupled.finite).finite
        }
    }

    /// The vectors a, b, d of J^T c = a c - b <d, c> and J t = a t - d <b, t>.
    func appendLinearization(to output: OperatorOutput, _ scratch: SparseTopKScratch) {
        let part = scratch.support.whole
        let count = part.entries.count
        let a = scratch.products.reserve(3 * count)
        let b = a + count
        let d = b + count
        let gradients = scratch.gradients.reserve(part.segments.count)
        Jacobian(scratch.support, part, gradients)
            .shares(into: b, countsWeight: kind == .magnitude)
        let (weights, scores) = (scratch.support.weights, scratch.support.scores)
        let (slopes, signs) = (scratch.support.slopes, scratch.signs.pointer)
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
            scratch.support.emit(part, values, to: rows, keepsZeros: true, scratch.reordering)
        }
    }
}
