/// Which solver runs, and its settings.
enum SolverChoice: String, CaseIterable {
    /// threshold; pav where general weights are given.
    case auto
    case threshold
    case pav
    case dykstra
}

/// A parameter's values, one for all rows or one for each. Taken out once a request: looking into a
/// `ParameterValue` for each row of a router cost a tenth of its time.
struct PerRow<Value: BitwiseCopyable & Sendable>: Sendable {
    private let values: [Value]
    /// What all rows have, if it is one for all.
    let shared: Value?

    init(_ values: [Value]) {
        self.values = values
        shared = values.count == 1 ? values[0] : nil
    }

    subscript(row: Int) -> Value {
        @inline(__always) get { shared ?? values[row] }
    }
}

/// What the paper's operators read off their parameters: once for all blocks and requests that have
/// them in common. That was 700 of the 14,000 instructions of a block of one row of 1000.
final class PaperSettings: Sendable {
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

    static func of(_ parameters: ParameterValues, isMagnitude: Bool) -> PaperSettings {
        parameters.settings { PaperSettings($0, isMagnitude: isMagnitude) }
    }

    private init(_ parameters: ParameterValues, isMagnitude: Bool) {
        k = PerRow(parameters[PaperParameters.k].integers)
        let spec = isMagnitude ? PaperParameters.lambdaOfMagnitudes : PaperParameters.lambdaOfScores
        lambda = PerRow(parameters[spec].numbers)
        exponent = Exponent(p: parameters[PaperParameters.p].number(row: 0))
        choice = SolverChoice(rawValue: parameters[PaperParameters.solver].word) ?? .auto
        iterationsMax = parameters[PaperParameters.iterationsMax].integer(row: 0)
        tolerance = parameters[PaperParameters.tolerance].number(row: 0)
        shrinks = parameters[PaperParameters.shortRows].word == "shrink"
        isSmallest = !isMagnitude && !parameters[PaperParameters.largest].boolean
        linearizes = parameters[PaperParameters.linearization].boolean
        let wrt = parameters[PaperParameters.wrt].words
        givesX = wrt.contains("x")
        givesLambda = wrt.contains("lambda")
    }
}
