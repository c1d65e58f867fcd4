import ArgumentParser

/// What is asked of a property: whether it is an option, of whatever type.
private protocol AnyOption {}
extension Option: AnyOption {}

extension ParsableArguments {
    /// The flags that this type itself declares, in their order. They are read from it, so that no
    /// second list can lack one.
    static var flags: [String] {
        Mirror(reflecting: Self()).children.compactMap { label, value in
            value is AnyOption ? label.map { flag($0) } : nil
        }
    }

    /// The flag of a property, named as ArgumentParser names it: "_bodyBytesMax" (the property
    /// wrapper's own label) is "--body-bytes-max".
    static func flag(_ label: String) -> String {
        "--"
            + label.drop { $0 == "_" }.reduce(into: "") { name, letter in
                name += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
            }
    }
}

extension ClosedRange<Int> {
    /// Throws what `flag` must be where `value` is none of these.
    func check(_ flag: String, _ value: Int) throws {
        guard !contains(value) else { return }
        throw ValidationError(
            "\(flag) must be from \(lowerBound) to \(upperBound), and is \(value).")
    }

    /// TCP ports; 0 is a free one.
    static var ports: ClosedRange<Int> { 0...65_535 }
}
