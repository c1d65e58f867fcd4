/// The entropic optimal transport top-k that keeps the order: column j is the j-th largest.
///
/// x [B, n] -> [B, n, k]; O(n k^2) a step. Kernel: `SortedTransport`.
struct SoftTopKSorted: DifferentiableOperator {
    let descriptor = OperatorDescriptor(
        name: "soft_topk_sorted",
        summary:
            "The entropic optimal transport top-k that keeps the order: column j of an entry is "
            + "its share of being the j-th largest.",
        formula:
            "n times the plan between x and the anchors k, ..., 1 (mass 1 each) and 0 (the rest) "
            + "at the cost (x - a)^2 / cost_scale, entropy eps",
        source: "Xie et al. 2020, arXiv:2002.06504",
        parameters: [k, eps, costScale], acceptsNegativeInfinity: true)

    private static let k = ParameterSpec(
        name: "k", kind: .integer(minimum: 1, maximum: nil, atMostRowLength: true),
        isPerRow: false, defaultValue: .required, unit: "entries",
        doc: "How many ranks: columns of the answer.")

    private static let eps = ParameterSpec(
        name: "eps", kind: .number(minimum: 1e-150, maximum: nil), isPerRow: true,
        defaultValue: .number(0.1, spelling: "0.1"), unit: "none",
        doc: "The entropy's factor: ranks blur over distances of cost_scale * eps / 2.")

    private static let costScale = ParameterSpec(
        name: "cost_scale", kind: .number(minimum: 1e-150, maximum: nil), isPerRow: true,
        defaultValue: .number(1, spelling: "1"), unit: "units of x",
        doc: "What costs are divided by; the published code takes the largest cost of the batch.")

    let addsAxis = true

    func answerShape(rowLength n: Int, _ parameters: ParameterValues) -> AnswerShape {
        AnswerShape(
            rowsPerInputRow: n, rowLength: parameters[Self.k].integer(row: 0), addsAxis: true)
    }

    func scope(_ parameters: ParameterValues) -> Scope { .row }

    var traits: Traits { .exactFunction }

    /// n k^2 is never few. From some ten milliseconds on it is a search.
    func lane(_ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape) -> Lane {
        let columns = parameters[Self.k].integer(row: 0) + 1
        let (work, overflow) = (columns * columns).multipliedReportingOverflow(
            by: x.rowCount * x.rowLength)
        return overflow || work > Self.searchWorkMin ? .search : .pool
    }

    private static let searchWorkMin = 1 << 21

    /// One row's plan and its sums in float64, and the rows of a dense answer.
    func workingBytes(
        _ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape, _ dtype: DType
    ) -> Int {
        let k = parameters[Self.k].integer(row: 0)
        let plan = 32 * x.rowLength * (k + 1)
        guard direction == .forward else { return plan }
        return plan + x.rowCount * x.rowLength * (k * (dtype.byteCount + 4) + 8)
    }

    /// Numbers (or columns, if there are more) times squared columns of one request: ten steps of
    /// it take some seconds.
    private static let workMax = 1 << 29

    func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError) {
        let k = parameters[Self.k].integer(row: 0)
        let (squared, overflow) = (k + 1).multipliedReportingOverflow(by: k + 1)
        let (work, workOverflow) = squared.multipliedReportingOverflow(
            by: x.rowCount * x.rowLength)
        if overflow || workOverflow || work > Self.workMax {
            throw .incompatible(
                "k", "(k + 1)^2 times the numbers of x is more than \(Self.workMax)")
        }
    }

    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        let scratch = workspace.scratch(SortedTopKScratch.self)
        for row in block.rows {
            let (solved, entries) = try solve(row, block, workspace)
            let k = solved.k
            let values = scratch.values.reserve(k)
            var next = 0
            for column in 0..<block.x.rowLength {
                guard next < entries.count && entries[next] == column else {
                    output.answer.appendRow(count: 0, nil, values)
                    continue
                }
                for j in 0..<k { values[j] = solved.weight(next, j) }
                output.answer.appendRow(count: k, nil, values)
                next += 1
            }
        }
    }

    func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        let scratch = workspace.scratch(SortedTopKScratch.self)
        let n = block.x.rowLength
        let limit = Double.greatestFiniteMagnitude
        for row in block.rows {
            let (solved, entries) = try solve(row, block, workspace)
            let k = solved.k
            for g in 0..<cotangents.stackCount {
                try block.context.check()
                let index = cotangents.rowIndex(g, row)
                let gradient = try solved.gradient { i, j in
                    cotangents.rows.value(index, entries[i] * k + j)
                }
                let values = scratch.values.reserve(n)
                values.update(repeating: 0, count: n)
                for (i, column) in entries.enumerated() {
                    values[column] = min(max(gradient[i], -limit), limit)
                }
                output.answer.appendRow(count: n, nil, values)
            }
        }
    }

    /// The row's plan, and which of its entries are finite: they alone take part.
    private func solve(
        _ row: Int, _ block: borrowing RowBlock, _ workspace: Workspace
    ) throws(OperatorError) -> (SortedTransport, entries: [Int]) {
        let k = block.parameters[Self.k].integer(row: 0)
        let eps = block.parameters[Self.eps].number(row: row)
        let scale = block.parameters[Self.costScale].number(row: row)
        let finiteCount = workspace.finiteCounts.pointer[row - block.rows.lowerBound]
        guard k <= finiteCount else {
            throw .tooFewFiniteEntries(row: row, k: k, finiteCount: finiteCount)
        }
        let x = block.x
        let entries = (0..<x.rowLength).filter { x.value(row, $0).isFinite }
        var solved = try SortedTransport(
            entries.map { x.value(row, $0) }, k: k,
            sigma: min(scale / 2 * eps, .greatestFiniteMagnitude), block.context)
        try solved.solve()
        return (solved, entries)
    }
}
