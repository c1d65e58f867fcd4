/// Scratch of mask, values and magnitude.
final class SparseTopKScratch: Scratchpad {
    var selection = SelectionScratch()
    /// u_i - t of the candidates, see `ThresholdSolver`.
    var offsets = Scratch<Double>()
    /// A few rows of x that cannot be read where they lie, and cotangents of a few short rows.
    var row = Scratch<Double>()
    var cotangents = Scratch<Double>()
    /// What has been found of a few short rows.
    var shortRows = ShortRows()
    /// The pads of the solvers that sort.
    var sorting = SortingScratch()
    /// The solved row: what forward emits and what the gradient needs.
    var support = Support()
    let reordering = Reordering()
    /// Cotangents or tangents at the support, and what becomes of them.
    var products = Scratch<Double>()
    /// sign(x) at the support, for magnitude.
    var signs = Scratch<Double>()
    /// Gradients by lambda, one a segment.
    var gradients = Scratch<Double>()
    /// The solver that ran last, for tests: it is what was asked for.
    var lastSolver: SolverChoice?
    /// Passes over the candidates that the threshold solver took for its last row, for tests.
    var passCount = 0

    private var units = UnitCache()

    init() {}

    /// The unit for a row of magnitudes, see `Unit`.
    func unit(next: Double, lambda: Double, _ exponent: Exponent) -> Unit {
        units.unit(next: next, lambda: lambda, exponent)
    }

    func trim() {
        selection.trim()
        offsets.trim()
        row.trim()
        sorting.trim()
        support.trim()
        reordering.trim()
        products.trim()
        signs.trim()
        gradients.trim()
    }
}
