import Operators

/// Turns what a client wrote into values that a procedure's parameters allow: the only way in, for
/// every protocol.
struct ParameterDecoder {
    let rowCount: Int
    let rowLength: Int

    /// Values for all parameters of a procedure, defaults filled in.
    ///
    /// - Parameter inputs: names of the further inputs that came.
    func decode(
        _ procedure: Procedure, inputs: [String] = [], lookUp: (ParameterSpec) -> RawValue?
    ) throws(ServiceError) -> ParameterValues {
        let specs = procedure.allParameters
        var found: [ParameterValue?] = []
        found.reserveCapacity(specs.count)
        var given: [String] = []
        for spec in specs {
            let isHere = procedure.parameters.contains { $0 === spec }
            if isHere, let raw = lookUp(spec) {
                found.append(try decode(raw, spec))
                given.append(spec.name)
            } else {
                found.append(nil)
            }
        }
        var values: [ParameterValue] = []
        values.reserveCapacity(specs.count)
        for (spec, value) in zip(specs, found) {
            if let value {
                values.append(value)
            } else {
                values.append(try defaultValue(spec, inputs + given))
            }
        }
        return ParameterValues(specs, values, given: given)
    }

    private func defaultValue(
        _ spec: ParameterSpec, _ given: [String]
    ) throws(ServiceError) -> ParameterValue {
        if let value = spec.defaultParameter { return value }
        guard case .requiredWithout(let others, _) = spec.defaultValue else {
            throw .missingParameter(name: spec.name, expected: expectation(spec))
        }
        // Nobody reads it then.
        if others.contains(where: { given.contains($0) }) { return .integers([0]) }
        let spelled = others.joined(separator: " or ")
        throw .missingParameter(
            name: spec.name, expected: "\(expectation(spec)) (or \(spelled) in its place)")
    }

    private func decode(_ raw: RawValue, _ spec: ParameterSpec) throws(ServiceError)
        -> ParameterValue
    {
        switch spec.kind {
        case .choice(let words):
            guard case .text(let word) = raw else { throw wrongType(raw, spec) }
            guard words.contains(word) else {
                throw .outOfRange(
                    .init(spec.name), expected: expectation(spec), found: raw.summary)
            }
            return .word(word)
        case .subset(let words):
            guard case .texts(let found) = raw else { throw wrongType(raw, spec) }
            for (index, word) in found.enumerated()
            where !words.contains(word) || found[..<index].contains(word) {
                throw .outOfRange(
                    .init(spec.name), expected: expectation(spec),
                    found: RawValue.text(word).summary)
            }
            guard !found.isEmpty else {
                throw .outOfRange(.init(spec.name), expected: expectation(spec), found: "[]")
            }
            return .words(found)
        case .boolean:
            guard case .boolean(let value) = raw else { throw wrongType(raw, spec) }
            return .boolean(value)
        case .integer(let minimum, let largest, let atMostRowLength):
            let maximum = atMostRowLength ? Double(rowLength) : largest.map { Double($0) } ?? 0x1p53
            let numbers = try numbers(raw, spec, [:])
            for (index, value) in numbers.enumerated() {
                let place = place(spec, index, numbers.count)
                guard value == value.rounded(.towardZero) else {
                    throw .wrongType(
                        place, expected: expectation(spec), found: RawValue.spell(value))
                }
                try check(value, place, spec, Double(minimum), maximum)
            }
            return .integers(numbers.map { Int($0) })
        case .number(let minimum, let maximum, let fractions, let atMostRowLength):
            let numbers = try numbers(raw, spec, fractions)
            let limit = atMostRowLength ? Double(rowLength) : .greatestFiniteMagnitude
            for (index, value) in numbers.enumerated() {
                try check(
                    value, place(spec, index, numbers.count), spec, minimum, maximum ?? limit)
            }
            return .numbers(numbers)
        }
    }

    private func check(
        _ value: Double, _ place: ServiceError.Place, _ spec: ParameterSpec, _ minimum: Double,
        _ maximum: Double
    ) throws(ServiceError) {
        guard value >= minimum && value <= maximum else {
            throw .outOfRange(place, expected: expectation(spec), found: RawValue.spell(value))
        }
    }

    /// One number, or one a row.
    private func numbers(
        _ raw: RawValue, _ spec: ParameterSpec, _ fractions: [String: Double]
    ) throws(ServiceError) -> [Double] {
        switch raw {
        case .number(let value):
            return [value]
        case .text(let text):
            guard let value = fractions[text] else { throw wrongType(raw, spec) }
            return [value]
        case .numbers(let values):
            guard spec.isPerRow else { throw wrongType(raw, spec) }
            guard values.count == rowCount else {
                throw .wrongShape(
                    field: spec.name, expected: "one number, or \(rowCount), one for each row",
                    found: "\(values.count) numbers")
            }
            return values
        case .texts, .boolean, .other:
            throw wrongType(raw, spec)
        }
    }

    private func place(_ spec: ParameterSpec, _ index: Int, _ count: Int) -> ServiceError.Place {
        .init(spec.name, count > 1 ? [index] : [])
    }

    private func wrongType(_ raw: RawValue, _ spec: ParameterSpec) -> ServiceError {
        .wrongType(.init(spec.name), expected: expectation(spec), found: raw.summary)
    }

    /// The parameter's range in words.
    private func expectation(_ spec: ParameterSpec) -> String {
        let each = spec.isPerRow ? ", or one for each row" : ""
        switch spec.kind {
        case .choice(let words):
            return RawValue.spell(words)
        case .subset(let words):
            return "one or more of \(RawValue.spell(words)), each once"
        case .boolean:
            return "true or false"
        case .integer(let minimum, let largest, let atMostRowLength):
            let range =
                atMostRowLength
                ? "from \(minimum) to n = \(rowLength)"
                : largest.map { "from \(minimum) to \($0)" } ?? "of at least \(minimum)"
            return "a whole number \(range)\(each)"
        case .number(let minimum, let maximum, let fractions, let atMostRowLength):
            let low = RawValue.spell(minimum)
            let high = maximum.map { RawValue.spell($0) }
            let range =
                atMostRowLength
                ? "from \(low) to n = \(rowLength)"
                : high.map { "from \(low) to \($0)" } ?? "of at least \(low)"
            let spellings = fractions.keys.sorted().map { " or \"\($0)\"" }.joined()
            return "a number \(range)\(spellings)\(each)"
        }
    }
}
