/// Scratch of gaussian_k.
final class GaussianKScratch: Scratchpad {
    /// A row of x, and one of the residual, that cannot be read where they lie.
    var row = Scratch<Double>()
    var residual = Scratch<Double>()
    /// u, where it cannot be made in its place in the answer.
    var sums = Scratch<Double>()
    var selection = SelectionScratch()
    /// u in 16 bits.
    var halves = Scratch<UInt16>()
    /// What is appended of a row: entries of u, or cotangents.
    var values = Scratch<Double>()

    init() {}

    func trim() {
        row.trim()
        residual.trim()
        sums.trim()
        selection.trim()
        halves.trim()
        values.trim()
    }
}
