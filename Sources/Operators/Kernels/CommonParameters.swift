/// Parameters that operators of several families have.
enum CommonParameters {
    static let shortRows = ParameterSpec(
        name: "short_rows", kind: .choice(["error", "shrink"]), isPerRow: false,
        defaultValue: .word("error"), unit: "none",
        doc: "A row with fewer finite entries than k is refused, or takes their count as its k.")
}
