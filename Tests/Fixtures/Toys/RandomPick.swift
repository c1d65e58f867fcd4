import Operators

/// An operator with chance: k entries of each row, drawn by the system's generator.
struct RandomPick: Operator {
    let descriptor = OperatorDescriptor(
        name: "random_pick", summary: "k entries of each row, by chance.", formula: "",
        source: "a toy", parameters: [k], acceptsNegativeInfinity: false)

    private static let k = ParameterSpec(
        name: "k", kind: .integer(minimum: 1, maximum: nil, atMostRowLength: true),
        isPerRow: true, defaultValue: .required, unit: "entries", doc: "How many.")

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        let n = block.x.rowLength
        for row in block.rows {
            var left = block.parameters[Self.k].integer(row: row)
            var columns: [Int32] = []
            for column in 0..<n {
                // Each of those left is as likely as the others.
                if block.context.randomBits() % UInt64(n - column) >= UInt64(left) { continue }
                columns.append(Int32(column))
                left -= 1
            }
            output.answer.append(columns, columns.map { block.x.value(row, Int($0)) })
        }
    }
}
