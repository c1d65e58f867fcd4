import Synchronization

/// The value of one parameter: one for all rows, or one a row.
package enum ParameterValue: Sendable, Equatable {
    case integers([Int])
    case numbers([Double])
    case word(String)
    case words([String])
    case boolean(Bool)

    package var integers: [Int] {
        guard case .integers(let values) = self else {
            preconditionFailure("not an integer parameter")
        }
        return values
    }

    package var numbers: [Double] {
        guard case .numbers(let values) = self else {
            preconditionFailure("not a number parameter")
        }
        return values
    }

    /// The whole number of row `row`.
    package func integer(row: Int) -> Int {
        let values = integers
        return values.count == 1 ? values[0] : values[row]
    }

    /// The real number of row `row`.
    package func number(row: Int) -> Double {
        let values = numbers
        return values.count == 1 ? values[0] : values[row]
    }

    package var word: String {
        guard case .word(let value) = self else { preconditionFailure("not a word parameter") }
        return value
    }

    package var words: [String] {
        guard case .words(let values) = self else { preconditionFailure("not a list of words") }
        return values
    }

    package var boolean: Bool {
        guard case .boolean(let value) = self else { preconditionFailure("not a boolean") }
        return value
    }

    /// How many values there are: 1, or the number of rows.
    package var count: Int {
        switch self {
        case .integers(let values): values.count
        case .numbers(let values): values.count
        case .word, .words, .boolean: 1
        }
    }
}

/// Values for every parameter of one operator, complete and in range.
///
/// `ParameterDecoder` (module Execution) is the only place that makes them from a request. A class,
/// which blocks of rows share: copies of a struct would retain three arrays.
package final class ParameterValues: Sendable {
    private let specs: [ParameterSpec]
    private let values: [ParameterValue]
    private let given: [String]
    /// The bits of a reference to what `settings` made. Not an AtomicLazyReference: that looks its
    /// own type up at each call, for 90 ns.
    private let made = Atomic<UInt>(0)

    /// `values[i]` belongs to `specs[i]`; `given` are the names that the request had.
    package init(
        _ specs: [ParameterSpec], _ values: [ParameterValue], given: [String] = []
    ) {
        precondition(specs.count == values.count)
        self.given = given
        self.specs = specs
        self.values = values
    }

    deinit {
        if let made = UnsafeRawPointer(bitPattern: made.load(ordering: .acquiring)) {
            Unmanaged<AnyObject>.fromOpaque(made).release()
        }
    }

    /// The value of one of the operator's parameters. O(parameters): look up once a block, not once
    /// a row. By identity: comparing names was a tenth of a small request's compute time.
    package subscript(spec: ParameterSpec) -> ParameterValue {
        guard let index = specs.firstIndex(where: { $0 === spec }) else {
            preconditionFailure("no parameter \(spec.name)")
        }
        return values[index]
    }

    /// The same by name, for what does not know the operator; nil where it has no such parameter.
    package func value(named name: String) -> ParameterValue? {
        specs.firstIndex { $0.name == name }.map { values[$0] }
    }

    /// What the operator makes of them, once: `make` is called by who comes first (or by several
    /// who come at the same time, of whose results one is kept).
    func settings<Settings: AnyObject & Sendable>(
        _ make: (ParameterValues) -> Settings
    ) -> Settings {
        if let known = UnsafeRawPointer(bitPattern: made.load(ordering: .acquiring)) {
            return Self.settings(at: known)
        }
        let new = Unmanaged.passRetained(make(self))
        let (isKept, before) = made.compareExchange(
            expected: 0, desired: UInt(bitPattern: new.toOpaque()),
            ordering: .acquiringAndReleasing)
        guard !isKept, let known = UnsafeRawPointer(bitPattern: before) else {
            return new.takeUnretainedValue()
        }
        new.release()
        return Self.settings(at: known)
    }

    private static func settings<Settings: AnyObject>(at known: UnsafeRawPointer) -> Settings {
        let object = Unmanaged<AnyObject>.fromOpaque(known).takeUnretainedValue()
        precondition(type(of: object) == Settings.self, "parameters belong to one operator")
        return unsafeDowncast(object, to: Settings.self)
    }

    /// Whether the request named it, rather than leave it to its default.
    package func isGiven(_ name: String) -> Bool { given.contains(name) }
}
