import Operators

/// An operator that searches, and takes edges: the heaviest set of entries of which no two are
/// joined.
struct GraphSearch: Operator {
    let descriptor = OperatorDescriptor(
        name: "graph_search", summary: "The heaviest independent set.", formula: "",
        source: "a toy", parameters: [nodesMax], acceptsNegativeInfinity: false,
        inputs: [
            TensorSpec(
                name: "edges", shape: .list(columns: 2), type: .int64, isRequired: true,
                doc: "Pairs of columns that exclude each other.")
        ],
        outputs: [
            TensorSpec(
                name: "total", shape: .perRow, type: .float64, isRequired: true,
                doc: "The sum of what was selected."),
            TensorSpec(
                name: "ended", shape: .perRow, type: .word(endings), isRequired: true,
                doc: "How the search ended."),
        ])

    private static let endings = ["optimal", "limit"]

    private static let nodesMax = ParameterSpec(
        name: "node_limit", kind: .integer(minimum: 1, maximum: nil, atMostRowLength: false),
        isPerRow: false, defaultValue: .integer(1 << 40), unit: "nodes", doc: "Where it gives up.")

    func scope(_ parameters: ParameterValues) -> Scope { .row }

    func lane(_ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape) -> Lane {
        .search
    }

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        guard let edges = block.inputs[0]?.rows else { return }
        let n = block.x.rowLength
        var joined = [[Bool]](repeating: [Bool](repeating: false, count: n), count: n)
        for edge in 0..<edges.rowCount {
            for end in 0..<2 {
                let column = edges.value(edge, end)
                guard column >= 0 && column < Double(n) else {
                    throw .wrongInput(
                        "edges", row: edge, column: end, expected: "a column from 0 to \(n - 1)",
                        found: "\(column)")
                }
            }
            let (a, b) = (Int(edges.value(edge, 0)), Int(edges.value(edge, 1)))
            joined[a][b] = true
            joined[b][a] = true
        }
        for row in block.rows {
            let weights = (0..<n).map { block.x.value(row, $0) }
            var search = Search(
                weights: weights, joined: joined,
                nodesLeft: block.parameters[Self.nodesMax].integer(row: 0))
            try search.visit(0, [], 0, block.context)
            output.answer.append(
                search.best.map { Int32($0) }, search.best.map { weights[$0] })
            output["total"]?.append(number: search.total)
            output["ended"]?.append(number: search.nodesLeft > 0 ? 0 : 1)
        }
    }

    private struct Search {
        let weights: [Double]
        let joined: [[Bool]]
        var nodesLeft: Int
        var best: [Int] = []
        var total = 0.0

        init(weights: [Double], joined: [[Bool]], nodesLeft: Int) {
            self.weights = weights
            self.joined = joined
            self.nodesLeft = nodesLeft
        }

        mutating func visit(
            _ column: Int, _ chosen: [Int], _ sum: Double, _ context: RunContext
        ) throws(OperatorError) {
            try context.check(every: 1024, at: nodesLeft)
            guard nodesLeft > 0 else { return }
            nodesLeft -= 1
            if sum > total { (best, total) = (chosen, sum) }
            guard column < weights.count else { return }
            if !chosen.contains(where: { joined[$0][column] }) {
                try visit(column + 1, chosen + [column], sum + weights[column], context)
            }
            try visit(column + 1, chosen, sum, context)
        }
    }
}
