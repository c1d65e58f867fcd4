/// Which solver runs, and its settings.
enum SolverChoice: String, CaseIterable {
    /// threshold; pav where general weights are given.
    case auto
    case threshold
    case pav
    case dykstra
}

/// The solver of each row of a block, from the request's parameters.
struct PaperSolver {
    private let isMagnitude: Bool
    private let k: ParameterValue
    private let lambda: ParameterValue
    private let exponent: Exponent
    private let choice: SolverChoice
    private let dykstra: Dykstra
    private let weights: DenseRows?
    private let first: Int

    /// Throws for the first row with fewer finite entries than it is to select, unless it may
    /// select fewer.
    init(
        isMagnitude: Bool, _ block: borrowing RowBlock, _ workspace: Workspace
    ) throws(OperatorError) {
        self.isMagnitude = isMagnitude
        let parameters = block.parameters
        k = parameters["k"]
        lambda = parameters["lambda"]
        exponent = Exponent(p: parameters["p"].number(row: 0))
        weights = block.inputs.first ?? nil
        let asked = SolverChoice(rawValue: parameters["solver"].word) ?? .auto
        choice = asked != .auto ? asked : weights == nil ? .threshold : .pav
        dykstra = Dykstra(
            iterationsMax: parameters["max_iterations"].integer(row: 0),
            tolerance: parameters["tolerance"].number(row: 0), cancellation: block.cancellation)
        first = block.rows.lowerBound
        if parameters["short_rows"].word == "shrink" { return }
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
        guard let weights else { return k.integer(row: row) }
        let w = weights.rowCount == 1 ? 0 : row
        return (0..<weights.rowLength).first { weights.value(w, $0) == 0 } ?? weights.rowLength
    }

    /// Ranks of short rows all at once, before each of them is solved.
    @inline(__always)
    func rank<S: KernelScalar>(
        _ rows: Range<Int>, _ x: UnsafePointer<S>, rowLength n: Int, _ workspace: Workspace
    ) {
        var sameK: Int?
        if (choice == .auto || choice == .threshold) && k.count == 1 {
            let isFinite = rows.allSatisfy { workspace.finiteCounts.pointer[$0 - first] == n }
            sameK = isFinite ? k.integer(row: 0) : nil
        }
        workspace.shortRows.rank(
            x, rows: rows.count, rowLength: n, k: sameK, isAbsolute: isMagnitude)
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
        let lambda = lambda.number(row: row)
        workspace.lastSolver = choice.rawValue
        let method: SortingSolver.Method
        switch choice {
        case .auto, .threshold:
            let solver = SparseTopK(
                k: min(k.integer(row: row), finiteCount), lambda: lambda, exponent: exponent,
                isMagnitude: isMagnitude)
            let ranks = workspace.shortRows.ranks((row - first) % ShortRows.rowsMax, as: S.self)
            solver.solve(x, finiteCount: finiteCount, ranks: ranks, workspace)
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
                target[i] = i < k.integer(row: row) ? 1 : 0
            }
        }
        return UnsafePointer(target)
    }

    /// Whether dykstra came within its tolerance.
    func hasConverged(_ report: Dykstra.Report) -> Bool { report.residual <= dykstra.tolerance }
}
