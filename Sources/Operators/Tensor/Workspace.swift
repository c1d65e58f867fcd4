import CKernels

/// Scratch memory of one worker, reused from row to row so that a warm request allocates nothing.
///
/// Not thread-safe: each worker has its own.
package final class Workspace {
    /// Entries that are not -inf, for each row of the block at hand.
    var finiteCounts = Scratch<Int>()
    /// Scores of the candidates, in `Double`, and their columns.
    var scores = Scratch<Double>()
    var columns = Scratch<Int32>()
    /// u_i - t of the candidates, see `ThresholdSolver`.
    var offsets = Scratch<Double>()
    /// A copy that selection may reorder.
    var selection = Scratch<Double>()
    /// The solver that ran last, for tests: it is what was asked for.
    package internal(set) var lastSolver = ""
    /// Passes over the candidates that the threshold solver took for its last row, for tests.
    package internal(set) var passCount = 0
    /// A row that cannot be read where it lies.
    var row = Scratch<Double>()
    /// Cotangents of a few short rows, likewise.
    var cotangents = Scratch<Double>()
    /// The k-th and (k+1)-th largest scores of a few short rows, see `ShortRows`.
    var shortRows = ShortRows()
    /// The largest entries or magnitudes of a few short rows.
    var shortTops = ShortTops()
    /// The pads of the solvers that sort.
    var sorting = Scratch<CKernels_SortEntry>()
    var pools = Scratch<Pooling.Pool>()
    var runs = Scratch<PartitionRun>()
    var rowWeights = Scratch<Double>()
    var multipliers = Scratch<Double>()
    /// Cotangents at the support, and what becomes of them.
    var products = Scratch<Double>()
    var signs = Scratch<Double>()
    /// Gradients by lambda, one a segment.
    var gradients = Scratch<Double>()
    /// Slopes of soft_topk, and weights that are narrowed afterwards; whole lines of 16.
    var softness = Scratch<Double>()
    /// What SOFT top-k made of the last row's tau.
    var softScale = CKernels_SoftScale()
    /// The forward and the backward set of a row, and those of all rows, for top_kast.
    var innerSet = Scratch<Int32>()
    var outerSet = Scratch<Int32>()
    let reordering = Reordering()
    /// The solved row: what forward emits and what the gradient needs.
    var support = Support()

    private var units = UnitCache()

    package init() {}

    /// The unit for a row of magnitudes, see `Unit`.
    func unit(next: Double, lambda: Double, _ exponent: Exponent) -> Unit {
        units.unit(next: next, lambda: lambda, exponent)
    }

    /// Gives back what one unusual request has made large; pages of ordinary ones are kept.
    package func trim() {
        finiteCounts.trim()
        scores.trim()
        columns.trim()
        offsets.trim()
        selection.trim()
        row.trim()
        sorting.trim()
        pools.trim()
        runs.trim()
        rowWeights.trim()
        multipliers.trim()
        products.trim()
        signs.trim()
        gradients.trim()
        softness.trim()
        innerSet.trim()
        outerSet.trim()
        reordering.trim()
        support.trim()
    }
}
