import ArgumentParser
import Execution

/// A flag that sets a whole number of `Limits`. Its declaration in `LimitOptions` is the one place
/// that says what it sets, its range and its help; all else goes through these.
struct LimitFlag: Sendable {
    let path: WritableKeyPath<Limits, Int> & Sendable
    let range: ClosedRange<Int>
    /// nil where the command line is silent.
    let given: Int?
}

extension Option where Value == LimitFlag {
    /// - Parameter byDefault: what is taken where the command line is silent, in words; nil where
    ///   it is simply the number that `Limits` has.
    init(
        _ path: WritableKeyPath<Limits, Int> & Sendable, _ range: ClosedRange<Int>, _ help: String,
        byDefault: String? = nil
    ) {
        let value = byDefault ?? "\(Limits()[keyPath: path])"
        self.init(
            wrappedValue: LimitFlag(path: path, range: range, given: nil),
            help: "\(help) (default: \(value))",
            transform: { text in
                guard let number = Int(text) else { throw NoNumber(range: range) }
                return LimitFlag(path: path, range: range, given: number)
            })
    }
}

/// ArgumentParser puts the flag and the value before it.
private struct NoNumber: Error, CustomStringConvertible {
    let range: ClosedRange<Int>

    var description: String {
        "it must be a whole number from \(range.lowerBound) to \(range.upperBound)."
    }
}
