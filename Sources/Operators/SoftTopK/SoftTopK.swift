/// The entropic optimal transport top-k: dense weights in (0, 1) that sum to a real k.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernels: `SoftRows`, `SoftThreshold`.
struct SoftTopK: TangentOperator {
    let descriptor = OperatorDescriptor(
        name: "soft_topk",
        summary: "The entropic optimal transport top-k: smooth weights in [0, 1] that sum to k.",
        formula: "y_i = sigma((x_i - t) / tau), t such that sum y = k",
        source: "Xie et al. 2020, arXiv:2002.06504, by the closed form of its plan",
        parameters: [
            k, tau, epsilon, costScale, legacyBatchScale, mode, CommonParameters.shortRows,
        ],
        acceptsNegativeInfinity: true,
        outputs: [
            TensorSpec(
                name: "threshold", shape: .perRow, type: .float64, isRequired: true,
                doc: "t of each row, in units of x: an entry there has weight 1/2.")
        ])

    private static let k = ParameterSpec(
        name: "k", kind: .number(minimum: 0, maximum: nil, atMostRowLength: true),
        isPerRow: true, defaultValue: .required, unit: "entries",
        doc: "What the weights of a row sum to: a real number.")

    private static let tau = ParameterSpec(
        name: "tau", kind: .number(minimum: 1e-300, maximum: nil), isPerRow: true,
        defaultValue: .number(0.1, spelling: "0.1"), unit: "units of x",
        doc: "Temperature: the distance from the threshold over which weights fall.")

    private static let epsilon = ParameterSpec(
        name: "epsilon", kind: .number(minimum: 1e-300, maximum: nil), isPerRow: true,
        defaultValue: .absent, unit: "none",
        doc: "The published code's parameter, in place of tau: tau = cost_scale * epsilon / 2.")

    private static let costScale = ParameterSpec(
        name: "cost_scale", kind: .number(minimum: 1e-300, maximum: nil), isPerRow: true,
        defaultValue: .absent, unit: "units of x",
        doc:
            "With epsilon: what costs are divided by. Left out, it is the largest squared distance "
            + "of the row's entries from 0 and 1 (of -x from them, in mode largest).")

    private static let legacyBatchScale = ParameterSpec(
        name: "legacy_batch_scale", kind: .boolean, isPerRow: false, defaultValue: .boolean(false),
        unit: "none",
        doc: "With epsilon, without cost_scale: one scale for all rows, as published. "
            + "Then a row's answer depends on the others.")

    private static let mode = ParameterSpec(
        name: "mode", kind: .choice(["largest", "smallest"]), isPerRow: false,
        defaultValue: .word("largest"), unit: "none",
        doc: "Whether the largest entries get the weights, or the smallest.")

    func scope(_ parameters: ParameterValues) -> Scope {
        parameters[Self.legacyBatchScale].boolean ? .batch : .row
    }

    func lane(_ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape) -> Lane {
        .quick
    }

    /// float32 weights are computed in float32, and not rounded from float64.
    var traits: Traits {
        var traits = Traits.exactFunction
        traits.isRoundedOnce = false
        return traits
    }

    func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError) {
        let hasEpsilon = parameters.isGiven("epsilon")
        if hasEpsilon && parameters.isGiven("tau") {
            throw .incompatible("epsilon", "tau says the same; give one of them")
        }
        if !hasEpsilon {
            for name in ["cost_scale", "legacy_batch_scale"] where parameters.isGiven(name) {
                throw .incompatible(name, "only epsilon is scaled; tau is in units of x")
            }
        }
        if parameters[Self.legacyBatchScale].boolean && parameters.isGiven("cost_scale") {
            throw .incompatible("legacy_batch_scale", "cost_scale says the scale; give one of them")
        }
    }

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        try run(.forward, block, nil, output, workspace)
    }

    func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try run(.vjp, block, cotangents, output, workspace)
    }

    /// The Jacobian is symmetric.
    func jvp(
        _ block: borrowing RowBlock, _ tangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try run(.jvp, block, tangents, output, workspace)
    }

    private func run(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        _ output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        let finiteCounts = UnsafePointer(workspace.finiteCounts.pointer)
        try workspace.with(SoftTopKScratch.self) { (scratch) throws(OperatorError) in
            try run(direction, block, stack, output, finiteCounts, scratch)
        }
    }

    private func run(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        _ output: OperatorOutput, _ finiteCounts: UnsafePointer<Int>, _ scratch: SoftTopKScratch
    ) throws(OperatorError) {
        let parameters = block.parameters
        let rows = SoftRows(
            direction: direction, isSmallest: parameters[Self.mode].word == "smallest",
            shrinks: parameters[CommonParameters.shortRows].word == "shrink")
        let k = parameters[Self.k]
        guard parameters.isGiven("epsilon") else {
            let tau = parameters[Self.tau]
            return try rows.run(
                block, stack, k: k, temperature: { tau.number(row: $0) }, into: output,
                finiteCounts, scratch)
        }
        let scales = costScales(block, isSmallest: rows.isSmallest)
        let epsilon = parameters[Self.epsilon]
        let first = block.rows.lowerBound
        try rows.run(
            block, stack, k: k,
            temperature: { row in
                let tau = scales[row - first] / 2 * epsilon.number(row: row)
                return min(max(tau, 1e-300), .greatestFiniteMagnitude)
            }, into: output, finiteCounts, scratch)
    }

    /// The largest cost of each row of the block: of v^2 and (v - 1)^2, where v is what the
    /// published code would be given to select the smallest of.
    private func costScales(_ block: borrowing RowBlock, isSmallest: Bool) -> [Double] {
        let parameters = block.parameters
        if parameters.isGiven("cost_scale") {
            let given = parameters[Self.costScale]
            return block.rows.map { given.number(row: $0) }
        }
        let x = block.x
        let scales = block.rows.map { row in
            var largest = 0.0
            for column in 0..<x.rowLength {
                let value = isSmallest ? x.value(row, column) : -x.value(row, column)
                guard value.isFinite else { continue }
                largest = max(largest, value * value, (value - 1) * (value - 1))
            }
            return min(largest, .greatestFiniteMagnitude)
        }
        guard parameters[Self.legacyBatchScale].boolean else { return scales }
        return scales.map { _ in scales.max() ?? 1 }
    }
}
