/// The k entries of largest magnitude, signed; one selected in full is unchanged.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernels: `PaperRows`.
struct Magnitude: PaperOperator {
    let descriptor = OperatorDescriptor(
        name: "magnitude",
        summary:
            "The k entries of largest magnitude, signed; one selected in full is unchanged.",
        formula:
            "sign(x) (y + lambda y^(p-1)), y the solution for phi(x) = x^2 / 2 on |x|",
        source: "Sander et al. 2023, arXiv:2302.01425",
        parameters: PaperParameters.ofMagnitudes,
        acceptsNegativeInfinity: true, inputs: PaperParameters.inputs,
        outputs: PaperParameters.outputs)
    let kind = PaperRows.Kind.magnitude
}
