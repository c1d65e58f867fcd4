/// The k largest entries times their relaxed indicator.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernels: `SparseTopKRows`.
struct Values: SparseTopKOperator {
    let descriptor = OperatorDescriptor(
        name: "values",
        summary: "The k largest entries times their relaxed indicator.",
        formula: "x * mask(x), elementwise",
        source: "Sander et al. 2023, arXiv:2302.01425",
        parameters: SparseTopKParameters.ofScores,
        acceptsNegativeInfinity: true, inputs: SparseTopKParameters.inputs,
        outputs: SparseTopKParameters.outputs)
    let kind = SparseTopKRows.Kind.values
}
