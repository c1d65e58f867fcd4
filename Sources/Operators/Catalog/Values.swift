/// The k largest entries times their relaxed indicator.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernels: `PaperRows`.
struct Values: PaperOperator {
    let descriptor = OperatorDescriptor(
        name: "values",
        summary: "The k largest entries times their relaxed indicator.",
        formula: "x * mask(x), elementwise",
        source: "Sander et al. 2023, arXiv:2302.01425",
        parameters: PaperParameters.ofScores,
        acceptsNegativeInfinity: true, inputs: PaperParameters.inputs,
        outputs: PaperParameters.outputs)
    let kind = PaperRows.Kind.values
}
