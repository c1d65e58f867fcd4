/// The k entries of largest magnitude, signed; one selected in full is unchanged.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernel: `SparseTopK`.
struct Magnitude: DifferentiableOperator {
    let descriptor = OperatorDescriptor(
        name: "magnitude",
        summary:
            "The k entries of largest magnitude, signed; one selected in full is unchanged.",
        formula:
            "sign(x) (y + lambda y^(p-1)), y the solution for phi(x) = x^2 / 2 on |x|",
        source: "Sander et al. 2023, arXiv:2302.01425",
        parameters: PaperParameters.all,
        acceptsNegativeInfinity: true)

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.forward(.magnitude, block, into: output, workspace)
    }

    func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.vjp(.magnitude, block, cotangents, into: output, workspace)
    }
}
