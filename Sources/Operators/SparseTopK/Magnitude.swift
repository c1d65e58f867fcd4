/// The k entries of largest magnitude, signed; one selected in full is unchanged.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernels: `SparseTopKRows`.
struct Magnitude: SparseTopKOperator {
    let descriptor = OperatorDescriptor(
        name: "magnitude",
        summary:
            "The k entries of largest magnitude, signed; one selected in full is unchanged.",
        formula:
            "sign(x) (y + lambda y^(p-1)), y the solution for phi(x) = x^2 / 2 on |x|",
        source: "Sander et al. 2023, arXiv:2302.01425",
        parameters: SparseTopKParameters.ofMagnitudes,
        acceptsNegativeInfinity: true, inputs: SparseTopKParameters.inputs,
        outputs: SparseTopKParameters.outputs)
    let kind = SparseTopKRows.Kind.magnitude
}
