/// The relaxed indicator of the k largest entries: weights in [0, 1] that sum to k.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernels: `SparseTopKRows`.
struct Mask: SparseTopKOperator {
    let descriptor = OperatorDescriptor(
        name: "mask",
        summary: "The relaxed indicator of the k largest entries: weights in [0, 1] that sum to k.",
        formula: "argmax over y in [0,1]^n with sum y = k of <x, y> - (lambda / p) ||y||_p^p",
        source: "Sander et al. 2023, arXiv:2302.01425",
        parameters: SparseTopKParameters.ofScores,
        acceptsNegativeInfinity: true, inputs: SparseTopKParameters.inputs,
        outputs: SparseTopKParameters.outputs)
    let kind = SparseTopKRows.Kind.mask
}
