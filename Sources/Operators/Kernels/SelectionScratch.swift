/// What `Selection` and `Ranks` write to: a part of the scratch of each family that selects.
struct SelectionScratch: ~Copyable {
    /// Scores of the candidates, in `Double`.
    var scores = Scratch<Double>()
    /// The candidates' columns.
    var columns = Scratch<Int32>()
    /// The maxima of a row's groups.
    var maxima = Scratch<Double>()
    /// A copy of the scores that `Ranks` may reorder.
    var reordered = Scratch<Double>()

    mutating func trim() {
        scores.trim()
        columns.trim()
        maxima.trim()
        reordered.trim()
    }
}
