/// Top-KAST: the weights that act, and the larger set of those that learn.
///
/// x [B, n] -> [B, n]; O(n) a row on average. Kernels: `KastRows`, `HardSelection`.
struct TopKast: DifferentiableOperator {
    let descriptor = OperatorDescriptor(
        name: "top_kast",
        summary: "Always sparse training: weights on the forward set A, gradients on the larger "
            + "backward set B.",
        formula:
            "theta on A, the k_forward largest |theta|; vjp: the cotangent on B, the k_backward "
            + "largest; penalty strength (sum over A of r + sum over B without A of r / D)",
        source: "Jayakumar et al. 2021, arXiv:2106.03517",
        parameters: TopKastParameters.all,
        acceptsNegativeInfinity: false, inputs: TopKastParameters.inputs,
        outputs: TopKastParameters.outputs)

    func scope(_ parameters: ParameterValues) -> Scope {
        parameters[TopKastParameters.scope].word == "global" ? .batch : .row
    }

    func lane(_ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape) -> Lane {
        .quick
    }

    var traits: Traits { .exactFunction }

    func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError) {
        try TopKastParameters.check(parameters, x, inputs)
    }

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        try workspace.with(TopKastScratch.self) { (scratch) throws(OperatorError) in
            switch block.x.dtype {
            case .float64: try run(block, nil, Double.self, output, scratch)
            default: try run(block, nil, Float.self, output, scratch)
            }
        }
    }

    /// The cotangent on B: what it is on B without A, where the answer is 0, is what lets weights
    /// come back.
    func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try workspace.with(TopKastScratch.self) { (scratch) throws(OperatorError) in
            switch block.x.dtype {
            case .float64: try run(block, cotangents, Double.self, output, scratch)
            default: try run(block, cotangents, Float.self, output, scratch)
            }
        }
    }

    private func run<S: KernelScalar>(
        _ block: borrowing RowBlock, _ cotangents: StackedRows?, _ type: S.Type,
        _ output: OperatorOutput, _ scratch: TopKastScratch
    ) throws(OperatorError) {
        let n = block.x.rowLength
        let choice = TopKastChoice(block)
        let outputs = KastRows.Outputs(output)
        // All rows are one where they compete.
        let atOnce =
            choice.isGlobal ? block.rows.count : RowGroup.rowsAtOnce(rowLength: n)
        for first in stride(from: block.rows.lowerBound, to: block.rows.upperBound, by: atOnce) {
            try block.context.check()
            let rows = first..<min(first + atOnce, block.rows.upperBound)
            let theta = block.x.rows(rows, as: S.self, negated: false, &scratch.row)
            let shared = choice.prepare(theta, rows: rows.count, rowLength: n, scratch)
            let density = choice.isGlobal ? choice.density(rows, rows.count * n) : nil
            for row in rows {
                let start = (row - first) * n
                let own = UnsafeBufferPointer(start: theta + start, count: n)
                let masks =
                    shared.map { choice.part($0, from: start, rowLength: n, scratch) }
                    ?? choice.masks(row, own, index: row - first, scratch)
                if let cotangents {
                    multiply(row, masks.backward, cotangents, output, scratch)
                } else {
                    KastRows.append(
                        theta + start, masks,
                        density: density ?? choice.density(row..<row + 1, n), choice.penalty,
                        to: outputs, scratch)
                }
            }
        }
    }

    private func multiply(
        _ row: Int, _ backward: UnsafeBufferPointer<Int32>, _ cotangents: StackedRows,
        _ output: OperatorOutput, _ scratch: TopKastScratch
    ) {
        let values = scratch.values.reserve(backward.count)
        guard let columns = backward.baseAddress else { return }
        for g in 0..<cotangents.stackCount {
            cotangents.rows.gather(
                cotangents.rowIndex(g, row), columns, count: backward.count, into: values)
            output.answer.appendRow(count: backward.count, columns, values)
        }
    }
}
