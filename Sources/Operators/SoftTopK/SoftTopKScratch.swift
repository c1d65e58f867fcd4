import CKernels

/// Scratch of soft_topk.
final class SoftTopKScratch: Scratchpad {
    /// A few rows of x that cannot be read where they lie.
    var row = Scratch<Double>()
    /// The largest entries of a few short rows.
    var shortTops = ShortTops()
    var selection = SelectionScratch()
    /// A part of a long row, see `SoftThreshold`.
    var sample = Scratch<Double>()
    /// Entries near the centre and their columns, see `SoftEntries`.
    var near = Scratch<Double>()
    var nearColumns = Scratch<Int32>()
    /// What was made of the last row's tau.
    var scale = CKernels_SoftScale()
    /// Weights that are narrowed afterwards, or the slopes of a row; whole lines of 16.
    var weights = Scratch<Double>()
    /// A cotangent or tangent that cannot be read where it lies.
    var cotangent = Scratch<Double>()
    /// Products that are narrowed afterwards.
    var products = Scratch<Double>()
    /// Passes over the entries that the last row took, for tests.
    var passCount = 0

    init() {}

    func trim() {
        row.trim()
        selection.trim()
        sample.trim()
        near.trim()
        nearColumns.trim()
        weights.trim()
        cotangent.trim()
        products.trim()
    }
}
