/// A family of latency histograms in seconds with fixed label values; thread-safe, lock-free.
package final class Histogram: Metric {
    package let name: String
    package let help: String
    private let labels: LabelSet
    /// Of each child: one a bound, one above the last, then the sum in nanoseconds.
    private let cells: Cells

    /// Upper bounds in nanoseconds: 5 us to 10 s in the steps 1, 2.5, 5. Twenty buckets and +Inf.
    package static let boundsNanoseconds: [Int] = {
        var bounds = [5_000]
        for decade in [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000] {
            bounds += [decade, decade * 5 / 2, decade * 5]
        }
        return bounds + [10_000_000_000]
    }()

    private static let cellsPerChild = boundsNanoseconds.count + 2

    /// - Parameter isPossible: says of a child's values whether it can ever count anything; others
    ///   are not shown.
    package init(
        _ name: String, help: String, labels: [(name: String, values: [String])],
        isPossible: ([String]) -> Bool = { _ in true }
    ) {
        precondition(name.hasSuffix("_seconds"), "Prometheus latencies are in seconds")
        self.name = name
        self.help = help
        self.labels = LabelSet(labels, isPossible: isPossible)
        self.cells = Cells(count: self.labels.childCount * Self.cellsPerChild)
    }

    /// The number of the child with these label values, for `observe`.
    package func child(_ values: String...) -> Int { labels.index(values) }

    /// Counts one duration for the child with these label values.
    package func observe(nanoseconds: Int, _ values: String...) {
        observe(nanoseconds: nanoseconds, child: labels.index(values))
    }

    /// The same for a child that has been looked up.
    package func observe(nanoseconds: Int, child index: Int) {
        let bounds = Self.boundsNanoseconds
        let start = index * Self.cellsPerChild
        cells.add(1, to: start + (bounds.firstIndex { nanoseconds <= $0 } ?? bounds.count))
        cells.add(nanoseconds, to: start + bounds.count + 1)
    }

    /// How many durations the child has counted.
    package func count(_ values: String...) -> Int {
        let start = labels.index(values) * Self.cellsPerChild
        return (0...Self.boundsNanoseconds.count).reduce(0) { $0 + cells.load(start + $1) }
    }

    package func write(to text: inout Exposition) {
        text.header(name, help: help, type: "histogram")
        for index in 0..<labels.childCount where labels.isShown(index) {
            let label = labels.text(index)
            let start = index * Self.cellsPerChild
            var cumulative = 0
            for (place, bound) in Self.boundsNanoseconds.enumerated() {
                cumulative += cells.load(start + place)
                text.sample(
                    "\(name)_bucket", "\(label),le=\"\(Double(bound) / 1e9)\"", cumulative)
            }
            let above = start + Self.boundsNanoseconds.count
            cumulative += cells.load(above)
            text.sample("\(name)_bucket", "\(label),le=\"+Inf\"", cumulative)
            text.sample("\(name)_sum", label, Double(cells.load(above + 1)) / 1e9)
            text.sample("\(name)_count", label, cumulative)
        }
    }
}
