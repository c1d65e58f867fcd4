import Synchronization

/// One atomic whole number. Relaxed order: metrics need no order among themselves.
final class Cell: Sendable {
    private let value = Atomic<Int>(0)

    func add(_ amount: Int) { value.wrappingAdd(amount, ordering: .relaxed) }
    func load() -> Int { value.load(ordering: .relaxed) }
}

/// A family of monotone counters with a fixed set of label values; thread-safe, lock-free.
package final class Counter: Metric {
    package let name: String
    package let help: String
    private let labels: LabelSet
    private let cells: [Cell]
    /// Children that never counted are left out, where the label product is large.
    private let omitsZeros: Bool

    /// - Parameters:
    ///   - labels: each label's name with all values that it can take.
    ///   - isPossible: as Histogram's.
    package init(
        _ name: String, help: String, labels: [(name: String, values: [String])] = [],
        omitsZeros: Bool = false, isPossible: ([String]) -> Bool = { _ in true }
    ) {
        precondition(name.hasSuffix("_total"), "Prometheus counters end in _total")
        self.name = name
        self.help = help
        self.labels = LabelSet(labels, isPossible: isPossible)
        self.cells = (0..<self.labels.childCount).map { _ in Cell() }
        self.omitsZeros = omitsZeros
    }

    /// Adds to the child with these label values; a value that is not in the table is a programmer
    /// error.
    package func add(_ amount: Int = 1, _ values: String...) {
        precondition(amount >= 0)
        cells[labels.index(values)].add(amount)
    }

    /// The same with one label: no array is made of it.
    package func add(_ amount: Int = 1, _ value: String) {
        precondition(amount >= 0)
        cells[labels.index(CollectionOfOne(value))].add(amount)
    }

    /// Adds to a child that `child` has found.
    package func add(_ amount: Int, child: Int) {
        precondition(amount >= 0)
        cells[child].add(amount)
    }

    /// The child with these label values, for those who count often.
    package func child(_ values: String...) -> Int { labels.index(values) }

    /// The value of one child.
    package func value(_ values: String...) -> Int { cells[labels.index(values)].load() }

    package func write(to text: inout Exposition) {
        text.header(name, help: help, type: "counter")
        for (index, cell) in cells.enumerated() where labels.isShown(index) {
            let value = cell.load()
            if value == 0 && omitsZeros { continue }
            text.sample(name, labels.text(index), value)
        }
    }
}

/// A number that is read when it is scraped: the code that owns it stays its only source.
package final class Gauge: Metric {
    package let name: String
    package let help: String
    private let type: String
    private let labelText: String
    private let read: @Sendable () -> Double?

    /// - Parameter read: nil leaves the sample out.
    package init(
        _ name: String, help: String, labels: [(name: String, value: String)] = [],
        type: String = "gauge", read: @escaping @Sendable () -> Double?
    ) {
        self.name = name
        self.help = help
        self.type = type
        self.labelText = LabelSet(labels.map { ($0.name, [$0.value]) }).text(0)
        self.read = read
    }

    package func write(to text: inout Exposition) {
        guard let value = read() else { return }
        text.header(name, help: help, type: type)
        text.sample(name, labelText, value)
    }
}

/// A number that goes up and down.
package final class UpDown: Sendable {
    private let cell = Cell()

    package init() {}

    package func add(_ amount: Int) { cell.add(amount) }
    package var value: Int { cell.load() }
}
