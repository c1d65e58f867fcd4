/// The product of all values of some labels, numbered.
struct LabelSet: Sendable {
    private let names: [String]
    private let values: [[String]]
    let childCount: Int
    /// Children that nothing can ever count: they are not shown.
    private var impossible: Set<Int> = []

    /// - Parameter isPossible: of the values of one child, in the labels' order.
    init(
        _ labels: [(name: String, values: [String])],
        isPossible: ([String]) -> Bool = { _ in true }
    ) {
        names = labels.map { $0.name }
        values = labels.map { $0.values }
        childCount = values.reduce(1) { $0 * $1.count }
        for child in 0..<childCount where !isPossible(values(of: child)) {
            impossible.insert(child)
        }
    }

    func isShown(_ index: Int) -> Bool { !impossible.contains(index) }

    /// The values of child `index`, in the labels' order.
    private func values(of index: Int) -> [String] {
        var rest = index
        var chosen: [String] = []
        for options in values.reversed() {
            chosen.append(options[rest % options.count])
            rest /= options.count
        }
        return chosen.reversed()
    }

    /// The number of the child with these values, in the labels' order. O(values): they are few and
    /// short, and comparing them takes less than hashing one.
    func index(_ chosen: some Collection<String>) -> Int {
        precondition(chosen.count == names.count, "one value a label")
        var index = 0
        for (label, value) in chosen.enumerated() { append(value, label, to: &index) }
        return index
    }

    /// The same for three labels: no array is made of them.
    func index(_ first: String, _ second: String, _ third: String) -> Int {
        precondition(names.count == 3, "one value a label")
        var index = 0
        append(first, 0, to: &index)
        append(second, 1, to: &index)
        append(third, 2, to: &index)
        return index
    }

    private func append(_ value: String, _ label: Int, to index: inout Int) {
        guard let position = values[label].firstIndex(of: value) else {
            preconditionFailure("label \(names[label]) has no value \(value)")
        }
        index = index * values[label].count + position
    }

    /// `name="value",...` of child `index`, or nothing without labels.
    func text(_ index: Int) -> String {
        zip(names, values(of: index))
            .map { "\($0)=\"\(Exposition.escaped($1))\"" }
            .joined(separator: ",")
    }
}
