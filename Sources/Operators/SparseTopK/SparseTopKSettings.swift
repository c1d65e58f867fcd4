/// What mask, values and magnitude read off their parameters: once for all blocks and requests that
/// have them in common. That was 700 of the 14,000 instructions of a block of one row of 1000.
final class SparseTopKSettings: Sendable {
    let k: PerRow<Int>
    let lambda: PerRow<Double>
    let exponent: Exponent
    let choice: SolverChoice
    let iterationsMax: Int
    let tolerance: Double
    /// Whether rows with too few finite entries select fewer.
    let shrinks: Bool
    let isSmallest: Bool
    let linearizes: Bool
    /// What a vjp is taken by.
    let givesX: Bool
    let givesLambda: Bool

    static func of(_ parameters: ParameterValues, isMagnitude: Bool) -> SparseTopKSettings {
        parameters.settings { SparseTopKSettings($0, isMagnitude: isMagnitude) }
    }

    private init(_ parameters: ParameterValues, isMagnitude: Bool) {
        k = PerRow(parameters[SparseTopKParameters.k].integers)
        let spec =
            isMagnitude
            ? SparseTopKParameters.lambdaOfMagnitudes : SparseTopKParameters.lambdaOfScores
        lambda = PerRow(parameters[spec].numbers)
        exponent = Exponent(p: parameters[SparseTopKParameters.p].number(row: 0))
        choice = SolverChoice(rawValue: parameters[SparseTopKParameters.solver].word) ?? .auto
        iterationsMax = parameters[SparseTopKParameters.iterationsMax].integer(row: 0)
        tolerance = parameters[SparseTopKParameters.tolerance].number(row: 0)
        shrinks = parameters[CommonParameters.shortRows].word == "shrink"
        isSmallest = !isMagnitude && !parameters[SparseTopKParameters.largest].boolean
        linearizes = parameters[SparseTopKParameters.linearization].boolean
        let wrt = parameters[SparseTopKParameters.wrt].words
        givesX = wrt.contains("x")
        givesLambda = wrt.contains("lambda")
    }
}
