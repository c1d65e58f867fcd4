/// The parameters that mask, values and magnitude share. Defaults are those of the paper's code.
enum PaperParameters {
    static let all = [
        ParameterSpec(
            name: "k", kind: .integer(minimum: 1, atMostRowLength: true), isPerRow: true,
            defaultValue: .required, unit: "entries", doc: "How many entries to select."),
        ParameterSpec(
            name: "lambda", kind: .number(minimum: 0, maximum: nil, fractions: [:]),
            isPerRow: true, defaultValue: .number(0.1, spelling: "0.1"), unit: "units of x",
            doc: "Regularisation strength; 0 is the hard operator."),
        ParameterSpec(
            name: "p",
            kind: .number(minimum: 1.05, maximum: 16, fractions: ["4/3": Exponent.fourThirds]),
            isPerRow: false, defaultValue: .number(Exponent.fourThirds, spelling: "4/3"),
            unit: "none",
            doc: "The regulariser is the p-norm to the power p: a number or \"4/3\"."),
        ParameterSpec(
            name: "short_rows", kind: .choice(["error", "shrink"]), isPerRow: false,
            defaultValue: .word("error"), unit: "none",
            doc: "A row with fewer finite entries than k is refused, or takes their count as its k."
        ),
    ]
}
