/// What mask, values and magnitude share. Defaults are those of the paper's code.
enum SparseTopKParameters {
    static let ofScores =
        [k, lambdaOfScores, p, CommonParameters.shortRows, largest] + solving + derivative

    /// magnitude selects by |x|: there is nothing that the smallest would mean.
    static let ofMagnitudes =
        [k, lambdaOfMagnitudes, p, CommonParameters.shortRows] + solving + derivative

    static let k = ParameterSpec(
        name: "k", kind: .integer(minimum: 1, maximum: nil, atMostRowLength: true),
        isPerRow: true, defaultValue: .requiredWithout(["w"], isExclusive: true), unit: "entries",
        doc: "How many entries to select.")

    static let lambdaOfScores = lambda(unit: "units of x")
    static let lambdaOfMagnitudes = lambda(unit: "units of x^(2-p)")

    private static func lambda(unit: String) -> ParameterSpec {
        ParameterSpec(
            name: "lambda", kind: .number(minimum: 0, maximum: nil),
            isPerRow: true, defaultValue: .number(0.1, spelling: "0.1"), unit: unit,
            doc: "Regularisation strength; 0 is the hard operator.")
    }

    static let p = ParameterSpec(
        name: "p",
        kind: .number(minimum: 1.05, maximum: 16, fractions: ["4/3": Exponent.fourThirds]),
        isPerRow: false, defaultValue: .number(Exponent.fourThirds, spelling: "4/3"), unit: "none",
        doc: "The regulariser is the p-norm to the power p: a number or \"4/3\".")

    static let largest = ParameterSpec(
        name: "largest", kind: .boolean, isPerRow: false, defaultValue: .boolean(true),
        unit: "none",
        doc: "Whether the largest entries are selected, or the smallest, as in torch.topk.")

    static let solver = ParameterSpec(
        name: "solver", kind: .choice(SolverChoice.allCases.map { $0.rawValue }),
        isPerRow: false, defaultValue: .word(SolverChoice.auto.rawValue), unit: "none",
        doc: "The exact threshold equation (auto, without w), pool adjacent violators (auto, "
            + "with w), or Dykstra's projections, which approximate and need p = 2.")

    static let iterationsMax = ParameterSpec(
        name: "max_iterations",
        kind: .integer(minimum: 1, maximum: 100_000, atMostRowLength: false), isPerRow: false,
        defaultValue: .integer(1000), unit: "iterations",
        doc: "Where dykstra gives up on a row.")

    static let tolerance = ParameterSpec(
        name: "tolerance", kind: .number(minimum: 0, maximum: 1),
        isPerRow: false, defaultValue: .number(1e-6, spelling: "1e-6"), unit: "none",
        doc: "A row of dykstra has converged when no entry of its answer changes by more in one "
            + "iteration; for magnitude relative to the row's largest.")

    static let linearization = ParameterSpec(
        name: "linearization", kind: .boolean, isPerRow: false, defaultValue: .boolean(false),
        unit: "none", directions: [.forward],
        doc: "Whether the answer brings its Jacobian along: vectors a, b, d on a few columns "
            + "of each row, J^T c = a c - b <d, c> and J t = a t - d <b, t>.")

    static let wrt = ParameterSpec(
        name: "wrt", kind: .subset(["x", "lambda"]), isPerRow: false,
        defaultValue: .words(["x"]), unit: "none", directions: [.vjp],
        doc: "By what the gradient is taken; without x its rows are empty.")

    private static let solving = [solver, iterationsMax, tolerance]
    private static let derivative = [linearization, wrt]

    /// w instead of 1_k.
    static let inputs = [
        TensorSpec(
            name: "w", shape: .weights, isRequired: false,
            doc: "General weights instead of k ones: y lies in the permutahedron of w, its largest "
                + "entries get the largest weights. Non-increasing, from 0 to 1e9, one row [n], or "
                + "[B, n], one for each row of x. JSON only.")
    ]

    static let outputs = [
        TensorSpec(
            name: "iterations", shape: .perRow, type: .int64, isRequired: false,
            doc: "With solver dykstra: how many iterations each row took."),
        TensorSpec(
            name: "residual", shape: .perRow, type: .float64, isRequired: false,
            doc: "With solver dykstra: the largest change of each row's answer in its last "
                + "iteration."),
        TensorSpec(
            name: "converged", shape: .perRow, type: .bool, isRequired: false,
            doc: "With solver dykstra: whether the residual is within tolerance."),
        TensorSpec(
            name: "lambda_gradient", shape: .perRow, isRequired: false,
            doc: "With wrt lambda: the gradient by each row's lambda, for each cotangent."),
        TensorSpec(
            name: "a", shape: .shared(group: "linearization"), isRequired: false,
            doc: "With linearization: the diagonal."),
        TensorSpec(
            name: "b", shape: .shared(group: "linearization"), isRequired: false,
            doc: "With linearization: the left vector of J^T's rank-one term."),
        TensorSpec(
            name: "d", shape: .shared(group: "linearization"), isRequired: false,
            doc: "With linearization: the right vector of J^T's rank-one term."),
    ]

    /// Which of them a request gets.
    static func outputs(_ direction: Direction, _ parameters: ParameterValues) -> [TensorSpec] {
        let reports = parameters[solver].word == SolverChoice.dykstra.rawValue
        let linearizes = direction == .forward && parameters[linearization].boolean
        let givesLambda = direction == .vjp && parameters[wrt].words.contains("lambda")
        // The usual request has none of them.
        guard reports || linearizes || givesLambda else { return [] }
        return outputs.filter { spec in
            switch spec.name {
            case "iterations", "residual", "converged": reports
            case "lambda_gradient": givesLambda
            default: linearizes
            }
        }
    }

    /// What no single parameter can know.
    static func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError) {
        let solver = SolverChoice(rawValue: parameters[solver].word) ?? .auto
        let weights = inputs.first?.flatMap { $0.rows }
        if weights != nil && solver == .threshold {
            throw .incompatible("solver", "threshold takes k, not w; use pav, or leave it out")
        }
        if solver == .dykstra && parameters[p].number(row: 0) != 2 {
            throw .incompatible("solver", "dykstra needs p = 2")
        }
        if solver == .dykstra {
            try checkWork(x, iterations: parameters[iterationsMax].integer(row: 0))
        }
        if solver != .dykstra {
            for name in ["max_iterations", "tolerance"] where parameters.isGiven(name) {
                throw .incompatible(name, "only solver dykstra has it")
            }
        }
        guard let weights else { return }
        if parameters.isGiven("k") {
            throw .incompatible("k", "w says how much of each rank is selected; give one of them")
        }
        if parameters[linearization].boolean {
            throw .incompatible(
                "linearization", "with w a row has several coupled blocks, not one; use vjp or jvp")
        }
        try check(weights)
    }

    /// Numbers times iterations of one dykstra request: about a minute of one core.
    private static let dykstraWorkMax = 1 << 36

    /// From here on, some ten milliseconds, it is a search.
    static let dykstraSearchWorkMin = 1 << 24

    private static func checkWork(_ x: BatchShape, iterations: Int) throws(OperatorError) {
        let (work, overflow) = (x.rowCount * x.rowLength).multipliedReportingOverflow(
            by: iterations)
        if overflow || work > dykstraWorkMax {
            throw .incompatible(
                "max_iterations",
                "times the numbers of x it is \(overflow ? "more than 2^63" : "\(work)"), the "
                    + "limit is \(dykstraWorkMax); give fewer of either")
        }
    }

    private static let weightMax = 1e9

    /// A number without ".0".
    private static func spell(_ value: Double) -> String {
        Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    private static func check(_ weights: DenseRows) throws(OperatorError) {
        for row in 0..<weights.rowCount {
            var last = weightMax
            for column in 0..<weights.rowLength {
                let weight = weights.value(row, column)
                if !(weight >= 0 && weight <= last) {
                    throw .wrongInput(
                        "w", row: row, column: column,
                        expected: column == 0 || weight < 0
                            ? "a number from 0 to 1e9"
                            : "at most \(spell(last)), the weight before it",
                        found: spell(weight))
                }
                last = weight
            }
        }
    }
}
