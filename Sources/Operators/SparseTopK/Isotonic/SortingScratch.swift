import CKernels

/// Scratch of the solvers that sort a row.
struct SortingScratch: ~Copyable {
    /// What the sort itself moves.
    var entries = Scratch<CKernels_SortEntry>()
    /// Blocks that `Pooling` has not finished.
    var pools = Scratch<Pooling.Pool>()
    /// Runs that `Partition` has not solved.
    var runs = Scratch<PartitionRun>()
    /// w of the row's finite entries.
    var weights = Scratch<Double>()
    /// The state of `Dykstra`.
    var multipliers = Scratch<Double>()

    mutating func trim() {
        entries.trim()
        pools.trim()
        runs.trim()
        weights.trim()
        multipliers.trim()
    }
}
