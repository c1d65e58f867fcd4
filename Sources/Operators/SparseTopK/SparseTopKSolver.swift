/// The solver of each row of a block, from the request's parameters.
struct SparseTopKSolver {
    private let isMagnitude: Bool
    let settings: SparseTopKSettings
    let choice: SolverChoice
    private let weights: DenseRows?
    private let first: Int
    /// Finite entries of each row of the block.
    private let finiteCounts: UnsafePointer<Int>

    init(
        isMagnitude: Bool, _ block: borrowing RowBlock, _ finiteCounts: UnsafePointer<Int>
    ) {
        self.isMagnitude = isMagnitude
        settings = SparseTopKSettings.of(block.parameters, isMagnitude: isMagnitude)
        weights = block.inputs.isEmpty ? nil : block.inputs[0]?.rows
        let asked = settings.choice
        choice = asked != .auto ? asked : weights == nil ? .threshold : .pav
        first = block.rows.lowerBound
        self.finiteCounts = finiteCounts
    }

    /// Throws for the first row with fewer finite entries than it is to select, unless it may
    /// select fewer.
    func checkCounts(_ block: borrowing RowBlock) throws(OperatorError) {
        if settings.shrinks { return }
        for row in block.rows {
            let finiteCount = finiteCounts[row - first]
            if finiteCount == block.x.rowLength { continue }
            let wanted = wantedCount(row)
            guard finiteCount >= wanted else {
                throw .tooFewFiniteEntries(row: row, k: wanted, finiteCount: finiteCount)
            }
        }
    }

    /// Entries of positive weight: k, or those of w.
    private func wantedCount(_ row: Int) -> Int {
        guard let weights else { return settings.k[row] }
        let w = weights.rowCount == 1 ? 0 : row
        return (0..<weights.rowLength).first { weights.value(w, $0) == 0 } ?? weights.rowLength
    }

    /// Short rows all at once, before each of them is completed.
    @inline(__always)
    func prepare<S: KernelScalar>(
        _ rows: Range<Int>, _ x: UnsafePointer<S>, rowLength n: Int, _ scratch: SparseTopKScratch
    ) {
        let isThreshold = choice == .auto || choice == .threshold
        let start = rows.lowerBound
        scratch.shortRows.solve(
            x, rows: rows.count, rowLength: n, isMagnitude: isMagnitude, settings.exponent
        ) { index in
            let k = settings.k[start + index]
            let finiteCount = finiteCounts[start + index - first]
            // |-inf| would be the largest.
            let isAlike = !isMagnitude || finiteCount == n
            return isThreshold && k < finiteCount && isAlike ? k : nil
        } lambda: { index in
            settings.lambda[start + index]
        }
    }

    /// Solves one row into `scratch.support`; dykstra reports how it went.
    @inline(__always)
    func solve<S: KernelScalar>(
        _ row: Int, of block: borrowing RowBlock, _ x: UnsafeBufferPointer<S>,
        _ scratch: SparseTopKScratch
    ) throws(OperatorError) -> Dykstra.Report? {
        let finiteCount = finiteCounts[row - first]
        guard finiteCount > 0 else {
            // Nothing to select, and nothing to converge.
            scratch.support.reset(capacity: 0)
            return choice == .dykstra ? Dykstra.Report() : nil
        }
        let lambda = settings.lambda[row]
        let method: SortingSolver.Method
        switch choice {
        case .auto, .threshold:
            let solver = ThresholdRow(
                k: min(settings.k[row], finiteCount), lambda: lambda,
                exponent: settings.exponent, isMagnitude: isMagnitude)
            let ranks = scratch.shortRows.ranks((row - first) % RowGroup.rowsMax)
            solver.solve(
                x, finiteCount: finiteCount, ranks: ranks,
                known: { block.x.early?.maxima(row, height: $0, isAbsolute: isMagnitude, S.self) },
                scratch)
            return nil
        case .pav: method = .pav
        case .dykstra:
            method = .dykstra(
                Dykstra(
                    iterationsMax: settings.iterationsMax, tolerance: settings.tolerance,
                    context: block.context))
        }
        let solver = SortingSolver(
            method: method, lambda: lambda, exponent: settings.exponent, isMagnitude: isMagnitude)
        return try solver.solve(
            x, finiteCount: finiteCount, weights: rowWeights(row, finiteCount, scratch),
            scratch)
    }

    /// w of the row's finite entries: the request's, or k ones.
    private func rowWeights(
        _ row: Int, _ finiteCount: Int, _ scratch: SparseTopKScratch
    ) -> UnsafePointer<Double> {
        let target = scratch.sorting.weights.reserve(finiteCount)
        for i in 0..<finiteCount {
            if let weights {
                target[i] = weights.value(weights.rowCount == 1 ? 0 : row, i)
            } else {
                target[i] = i < settings.k[row] ? 1 : 0
            }
        }
        return UnsafePointer(target)
    }

    /// Whether dykstra came within its tolerance.
    func hasConverged(_ report: Dykstra.Report) -> Bool { report.residual <= settings.tolerance }
}
