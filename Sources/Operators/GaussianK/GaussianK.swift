/// A row's entries beyond an estimated threshold, and what is left of it for the next step.
///
/// x [B, n], residual [B, n] -> [B, n]; O(n) a row. Kernels: `GaussianRows`.
struct GaussianK: DifferentiableOperator {
    let descriptor = OperatorDescriptor(
        name: "gaussian_k",
        summary: "Gradient compression: entries beyond a threshold estimated from a row's mean and "
            + "deviation, with error feedback.",
        formula:
            "u = x + residual; u_i where |u_i| > mean(u) + z(1 - density / 2) std(u), adjusted",
        source: "Shi et al. 2019, arXiv:1911.08772, and the authors' code",
        parameters: [density, checksMax, up, down, legacyMean, onMiss],
        acceptsNegativeInfinity: false,
        inputs: [
            TensorSpec(
                name: "residual", shape: .likeX, isRequired: false,
                doc: "What the step before left, added to x; none in the first.")
        ],
        outputs: [
            TensorSpec(
                name: "residual", shape: .likeX, isRequired: true,
                doc: "x plus the residual, with zeros where it was selected: answer plus residual "
                    + "is x plus the residual that came, bit for bit."),
            TensorSpec(
                name: "threshold", shape: .perRow, type: .float64, isRequired: true,
                doc: "What magnitudes were to exceed."),
            TensorSpec(
                name: "checks", shape: .perRow, type: .int64, isRequired: true,
                doc: "How many checks found too few or too many entries."),
            TensorSpec(
                name: "in_band", shape: .perRow, type: .bool, isRequired: true,
                doc:
                    "Whether the estimate selected from 2/3 to 4/3 of k = max(floor(density n), 1) "
                    + "entries."),
        ])

    private static let density = ParameterSpec(
        name: "density", kind: .number(minimum: 1e-12, maximum: 1), isPerRow: false,
        defaultValue: .required, unit: "none", doc: "The share of entries to select.")

    private static let checksMax = ParameterSpec(
        name: "max_checks", kind: .integer(minimum: 1, maximum: 100, atMostRowLength: false),
        isPerRow: false, defaultValue: .integer(3), unit: "checks",
        doc: "How often the count is looked at; what the last one makes of the threshold is not "
            + "used, as published.")

    private static let up = ParameterSpec(
        name: "up", kind: .number(minimum: 1, maximum: 1000), isPerRow: false,
        defaultValue: .number(1.5, spelling: "1.5"), unit: "none",
        doc: "What the threshold is multiplied by if more than 4/3 of k exceed it.")

    private static let down = ParameterSpec(
        name: "down", kind: .number(minimum: 0, maximum: 1), isPerRow: false,
        defaultValue: .number(0.5, spelling: "0.5"), unit: "none",
        doc: "What the threshold is multiplied by if fewer than 2/3 of k exceed it.")

    private static let legacyMean = ParameterSpec(
        name: "legacy_mean", kind: .boolean, isPerRow: false, defaultValue: .boolean(true),
        unit: "none",
        doc: "Whether the mean is added to the threshold of magnitudes, as published: with a "
            + "negative mean everything is selected.")

    private static let onMiss = ParameterSpec(
        name: "on_miss", kind: .choice(["accept", "exact"]), isPerRow: false,
        defaultValue: .word("accept"), unit: "none",
        doc: "Where no check found enough and not too many: the last selection, or exactly the k "
            + "largest magnitudes.")

    func scope(_ parameters: ParameterValues) -> Scope { .row }

    func lane(_ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape) -> Lane {
        .quick
    }

    /// Its threshold comes from sums over the row, which rounding orders.
    var traits: Traits {
        var traits = Traits.exactFunction
        traits.isEquivariant = false
        return traits
    }

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        let rows = rows(block.parameters)
        let residual = block.inputs.first?.flatMap { $0.rows }
        try workspace.with(GaussianKScratch.self) { (scratch) throws(OperatorError) in
            switch block.x.dtype {
            case .float64: try rows.forward(block, residual, Double.self, into: output, scratch)
            default: try rows.forward(block, residual, Float.self, into: output, scratch)
            }
        }
    }

    func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        let rows = rows(block.parameters)
        let residual = block.inputs.first?.flatMap { $0.rows }
        try workspace.with(GaussianKScratch.self) { (scratch) throws(OperatorError) in
            switch block.x.dtype {
            case .float64:
                try rows.vjp(block, residual, Double.self, cotangents, into: output, scratch)
            default:
                try rows.vjp(block, residual, Float.self, cotangents, into: output, scratch)
            }
        }
    }

    private func rows(_ parameters: ParameterValues) -> GaussianRows {
        let density = parameters[Self.density].number(row: 0)
        return GaussianRows(
            density: density, quantile: NormalQuantile.upper(density / 2),
            checksMax: parameters[Self.checksMax].integer(row: 0),
            up: parameters[Self.up].number(row: 0), down: parameters[Self.down].number(row: 0),
            addsMean: parameters[Self.legacyMean].boolean,
            isExactOnMiss: parameters[Self.onMiss].word == "exact")
    }
}
