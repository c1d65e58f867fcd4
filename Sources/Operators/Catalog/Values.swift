/// The k largest entries times their relaxed indicator.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernel: `SparseTopK`.
struct Values: DifferentiableOperator {
    let descriptor = OperatorDescriptor(
        name: "values",
        summary: "The k largest entries times their relaxed indicator.",
        formula: "x * mask(x), elementwise",
        source: "Sander et al. 2023, arXiv:2302.01425",
        parameters: PaperParameters.all,
        acceptsNegativeInfinity: true)

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.forward(.values, block, into: output, workspace)
    }

    func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.vjp(.values, block, cotangents, into: output, workspace)
    }
}
