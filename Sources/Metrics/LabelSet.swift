/// The product of all values of some labels, numbered.
struct LabelSet: Sendable {
    private let names: [String]
    private let values: [[String]]
    private let indices: [[String: Int]]
    let childCount: Int

    init(_ labels: [(name: String, values: [String])]) {
        names = labels.map { $0.name }
        values = labels.map { $0.values }
        indices = labels.map { label in
            Dictionary(uniqueKeysWithValues: label.values.enumerated().map { ($1, $0) })
        }
        childCount = values.reduce(1) { $0 * $1.count }
    }

    /// The number of the child with these values, in the labels' order.
    func index(_ chosen: some Collection<String>) -> Int {
        precondition(chosen.count == names.count, "one value a label")
        var index = 0
        for (label, value) in chosen.enumerated() {
            guard let position = indices[label][value] else {
                preconditionFailure("label \(names[label]) has no value \(value)")
            }
            index = index * values[label].count + position
        }
        return index
    }

    /// `name="value",...` of child `index`, or nothing without labels.
    func text(_ index: Int) -> String {
        var rest = index
        var parts: [String] = []
        for label in names.indices.reversed() {
            let value = values[label][rest % values[label].count]
            rest /= values[label].count
            parts.append("\(names[label])=\"\(Exposition.escaped(value))\"")
        }
        return parts.reversed().joined(separator: ",")
    }
}
