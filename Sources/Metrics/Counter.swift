import Synchronization

/// Atomic whole numbers, side by side: an object for each would be retained for each addition.
/// Relaxed order: metrics need no order among themselves.
final class Cells: @unchecked Sendable {
    private let values: UnsafeMutablePointer<Atomic<Int>>
    private let count: Int

    init(count: Int) {
        self.count = count
        values = .allocate(capacity: count)
        for index in 0..<count { (values + index).initialize(to: Atomic(0)) }
    }

    deinit {
        values.deinitialize(count: count)
        values.deallocate()
    }

    func add(_ amount: Int, to index: Int) {
        precondition(index >= 0 && index < count)
        values[index].wrappingAdd(amount, ordering: .relaxed)
    }

    func load(_ index: Int) -> Int {
        precondition(index >= 0 && index < count)
        return values[index].load(ordering: .relaxed)
    }
}

/// A family of monotone counters with a fixed set of label values; thread-safe, lock-free.
package final class Counter: Metric {
    package let name: String
    package let help: String
    private let labels: LabelSet
    private let cells: Cells
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
        self.cells = Cells(count: self.labels.childCount)
        self.omitsZeros = omitsZeros
    }

    /// Adds to the child with these label values; a value that is not in the table is a programmer
    /// error.
    package func add(_ amount: Int = 1, _ values: String...) {
        add(amount, child: labels.index(values))
    }

    /// The same with one label: no array is made of it.
    package func add(_ amount: Int = 1, _ value: String) {
        add(amount, child: labels.index(CollectionOfOne(value)))
    }

    /// The same with three.
    package func add(_ amount: Int = 1, _ first: String, _ second: String, _ third: String) {
        add(amount, child: labels.index(first, second, third))
    }

    /// Adds to a child that `child` has found.
    package func add(_ amount: Int, child: Int) {
        precondition(amount >= 0)
        cells.add(amount, to: child)
    }

    /// The child with these label values, for those who count often.
    package func child(_ values: String...) -> Int { labels.index(values) }

    /// The value of one child.
    package func value(_ values: String...) -> Int { cells.load(labels.index(values)) }

    package func write(to text: inout Exposition) {
        text.header(name, help: help, type: "counter")
        for index in 0..<labels.childCount where labels.isShown(index) {
            let value = cells.load(index)
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
    private let number = Atomic<Int>(0)

    package init() {}

    package func add(_ amount: Int) { number.wrappingAdd(amount, ordering: .relaxed) }
    package var value: Int { number.load(ordering: .relaxed) }
}
