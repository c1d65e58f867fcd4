/// A family of latency histograms in seconds with fixed label values; thread-safe, lock-free.
package final class Histogram: Metric {
    package let name: String
    package let help: String
    private let labels: LabelSet
    private let children: [Child]

    /// Upper bounds in nanoseconds: 5 us to 10 s in the steps 1, 2.5, 5. Twenty buckets and +Inf.
    package static let boundsNanoseconds: [Int] = {
        var bounds = [5_000]
        for decade in [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000] {
            bounds += [decade, decade * 5 / 2, decade * 5]
        }
        return bounds + [10_000_000_000]
    }()

    private final class Child: Sendable {
        /// One a bound, and one above the last.
        let buckets = (0...Histogram.boundsNanoseconds.count).map { _ in Cell() }
        let sumNanoseconds = Cell()
    }

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
        self.children = (0..<self.labels.childCount).map { _ in Child() }
    }

    /// The number of the child with these label values, for `observe`.
    package func child(_ values: String...) -> Int { labels.index(values) }

    /// Counts one duration for the child with these label values.
    package func observe(nanoseconds: Int, _ values: String...) {
        observe(nanoseconds: nanoseconds, child: labels.index(values))
    }

    /// The same for a child that has been looked up.
    package func observe(nanoseconds: Int, child index: Int) {
        let child = children[index]
        let bucket = Self.boundsNanoseconds.firstIndex { nanoseconds <= $0 }
        child.buckets[bucket ?? Self.boundsNanoseconds.count].add(1)
        child.sumNanoseconds.add(nanoseconds)
    }

    /// How many durations the child has counted.
    package func count(_ values: String...) -> Int {
        children[labels.index(values)].buckets.reduce(0) { $0 + $1.load() }
    }

    package func write(to text: inout Exposition) {
        text.header(name, help: help, type: "histogram")
        for (index, child) in children.enumerated() where labels.isShown(index) {
            let label = labels.text(index)
            var cumulative = 0
            for (bound, bucket) in zip(Self.boundsNanoseconds, child.buckets) {
                cumulative += bucket.load()
                text.sample(
                    "\(name)_bucket", "\(label),le=\"\(Double(bound) / 1e9)\"", cumulative)
            }
            cumulative += child.buckets[Self.boundsNanoseconds.count].load()
            text.sample("\(name)_bucket", "\(label),le=\"+Inf\"", cumulative)
            text.sample("\(name)_sum", label, Double(child.sumNanoseconds.load()) / 1e9)
            text.sample("\(name)_count", label, cumulative)
        }
    }
}
