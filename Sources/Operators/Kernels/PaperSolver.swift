/// Which solver runs, and its settings.
enum SolverChoice: String, CaseIterable {
    /// threshold; pav where general weights are given.
    case auto
    case threshold
    case pav
    case dykstra
}

/// A parameter's values, one for all rows or one for each. Taken out once a block: looking into a
/// `ParameterValue` for each row of a router cost a tenth of its time.
struct PerRow<Value: BitwiseCopyable> {
    private let values: [Value]
    private let shared: Value?

    init(_ values: [Value]) {
        self.values = values
        shared = values.count == 1 ? values[0] : nil
    }

    subscript(row: Int) -> Value {
        @inline(__always) get { shared ?? values[row] }
    }
}

/// The solver of each row of a block, from the request's parameters.
struct PaperSolver {
    private let isMagnitude: Bool
    private let k: PerRow<Int>
    private let lambda: PerRow<Double>
    private let exponent: Exponent
    private let choice: SolverChoice
    private let dykstra: Dykstra
    private let weights: DenseRows?
    private let early: EarlyMaxima?
    private let first: Int

    /// Throws for the first row with fewer finite entries than it is to select, unless it may
    /// select fewer.
    init(
        isMagnitude: Bool, _ block: borrowing RowBlock, _ workspace: Workspace
    ) throws(OperatorError) {
        self.isMagnitude = isMagnitude
        let parameters = block.parameters
        k = PerRow(parameters[PaperParameters.k].integers)
        let spec = isMagnitude ? PaperParameters.lambdaOfMagnitudes : PaperParameters.lambdaOfScores
        lambda = PerRow(parameters[spec].numbers)
        exponent = Exponent(p: parameters[PaperParameters.p].number(row: 0))
        weights = block.inputs.first?.flatMap { $0.rows }
        let asked = SolverChoice(rawValue: parameters[PaperParameters.solver].word) ?? .auto
        choice = asked != .auto ? asked : weights == nil ? .threshold : .pav
        dykstra = Dykstra(
            iterationsMax: parameters[PaperParameters.iterationsMax].integer(row: 0),
            tolerance: parameters[PaperParameters.tolerance].number(row: 0),
            cancellation: block.cancellation)
        early = block.x.early
        first = block.rows.lowerBound
        if parameters[PaperParameters.shortRows].word == "shrink" { return }
        for row in block.rows {
            let finiteCount = workspace.finiteCounts.pointer[row - first]
            if finiteCount == block.x.rowLength { continue }
            let wanted = wantedCount(row)
            guard finiteCount >= wanted else {
                throw .tooFewFiniteEntries(row: row, k: wanted, finiteCount: finiteCount)
            }
        }
    }

    /// Entries of positive weight: k, or those of w.
    private func wantedCount(_ row: Int) -> Int {
        guard let weights else { return k[row] }
        let w = weights.rowCount == 1 ? 0 : row
        return (0..<weights.rowLength).first { weights.value(w, $0) == 0 } ?? weights.rowLength
    }

    /// Short rows all at once, before each of them is completed.
    @inline(__always)
    func prepare<S: KernelScalar>(
        _ rows: Range<Int>, _ x: UnsafePointer<S>, rowLength n: Int, _ workspace: Workspace
    ) {
        workspace.lastSolver = choice.rawValue
        let isThreshold = choice == .auto || choice == .threshold
        let start = rows.lowerBound
        workspace.shortRows.solve(
            x, rows: rows.count, rowLength: n, isMagnitude: isMagnitude, exponent
        ) { index in
            let k = k[start + index]
            let finiteCount = workspace.finiteCounts.pointer[start + index - first]
            // |-inf| would be the largest.
            let isAlike = !isMagnitude || finiteCount == n
            return isThreshold && k < finiteCount && isAlike ? k : nil
        } lambda: { index in
            lambda[start + index]
        }
    }

    /// Solves one row into `workspace.support`; dykstra reports how it went.
    @inline(__always)
    func solve<S: KernelScalar>(
        _ row: Int, _ x: UnsafeBufferPointer<S>, _ workspace: Workspace
    ) throws(OperatorError) -> Dykstra.Report? {
        let finiteCount = workspace.finiteCounts.pointer[row - first]
        guard finiteCount > 0 else {
            // Nothing to select, and nothing to converge.
            workspace.support.reset(capacity: 0)
            return choice == .dykstra ? Dykstra.Report() : nil
        }
        let lambda = lambda[row]
        let method: SortingSolver.Method
        switch choice {
        case .auto, .threshold:
            let solver = SparseTopK(
                k: min(k[row], finiteCount), lambda: lambda, exponent: exponent,
                isMagnitude: isMagnitude)
            let ranks = workspace.shortRows.ranks((row - first) % ShortRows.rowsMax)
            solver.solve(
                x, finiteCount: finiteCount, ranks: ranks,
                known: { early?.maxima(row, height: $0, isAbsolute: isMagnitude, S.self) },
                workspace)
            return nil
        case .pav: method = .pav
        case .dykstra: method = .dykstra(dykstra)
        }
        let solver = SortingSolver(
            method: method, lambda: lambda, exponent: exponent, isMagnitude: isMagnitude)
        return try solver.solve(
            x, finiteCount: finiteCount, weights: rowWeights(row, finiteCount, workspace),
            workspace)
    }

    /// w of the row's finite entries: the request's, or k ones.
    private func rowWeights(
        _ row: Int, _ finiteCount: Int, _ workspace: Workspace
    ) -> UnsafePointer<Double> {
        let target = workspace.rowWeights.reserve(finiteCount)
        for i in 0..<finiteCount {
            if let weights {
                target[i] = weights.value(weights.rowCount == 1 ? 0 : row, i)
            } else {
                target[i] = i < k[row] ? 1 : 0
            }
        }
        return UnsafePointer(target)
    }

    /// Whether dykstra came within its tolerance.
    func hasConverged(_ report: Dykstra.Report) -> Bool { report.residual <= dykstra.tolerance }
}
