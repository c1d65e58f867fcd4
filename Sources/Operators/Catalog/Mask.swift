/// The relaxed indicator of the k largest entries: weights in [0, 1] that sum to k.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernel: `SparseTopK`.
struct Mask: DifferentiableOperator {
    let descriptor = OperatorDescriptor(
        name: "mask",
        summary: "The relaxed indicator of the k largest entries: weights in [0, 1] that sum to k.",
        formula: "argmax over y in [0,1]^n with sum y = k of <x, y> - (lambda / p) ||y||_p^p",
        source: "Sander et al. 2023, arXiv:2302.01425",
        parameters: PaperParameters.all,
        acceptsNegativeInfinity: true)

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.forward(.mask, block, into: output, workspace)
    }

    func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.vjp(.mask, block, cotangents, into: output, workspace)
    }
}
