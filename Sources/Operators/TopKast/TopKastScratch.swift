/// Scratch of top_kast.
final class TopKastScratch: Scratchpad {
    /// A few rows of x that cannot be read where they lie.
    var row = Scratch<Double>()
    /// The largest magnitudes of a few short rows.
    var shortTops = ShortTops()
    var selection = SelectionScratch()
    /// The sets A and B of a row, or those of all rows.
    var innerSet = Scratch<Int32>()
    var outerSet = Scratch<Int32>()
    /// What is appended of a row: weights, the penalty's gradients, or cotangents.
    var values = Scratch<Double>()

    init() {}

    func trim() {
        row.trim()
        selection.trim()
        innerSet.trim()
        outerSet.trim()
        values.trim()
    }
}
