/// The k entries of largest magnitude, signed; an entry that is fully selected comes out unchanged.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernel: `SparseTopK`.
struct Magnitude: DifferentiableOperator {
    let descriptor = OperatorDescriptor(
        name: "magnitude",
        summary: "The k entries of largest magnitude, signed; an entry that is fully selected comes out unchanged.",
        formula: "sign(x) (y + lambda y^(p-1)), y = argmax over y in conv of k-sparse of the p-regularised problem on |x|",
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
