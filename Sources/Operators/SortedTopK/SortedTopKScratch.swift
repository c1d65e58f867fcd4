/// Scratch of soft_topk_sorted.
final class SortedTopKScratch: Scratchpad {
    /// A row of the answer, or of gradients.
    var values = Scratch<Double>()

    init() {}

    func trim() { values.trim() }
}
