import Operators

/// A parameter as the client wrote it, before anyone knows what it should be.
package enum RawValue: Equatable, Sendable {
    case number(Double)
    case text(String)
    case numbers([Double])
    case texts([String])
    case boolean(Bool)
    /// Something that no parameter takes, by its name in JSON: "an object", "null" ...
    case other(String)

    /// Reads a query's text as a value of `kind`: lists are comma-separated.
    package init(queryText text: String, for kind: ParameterSpec.Kind) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        switch kind {
        case .choice:
            self = .text(text)
        case .subset:
            self = .texts(parts.map { String($0) })
        case .boolean:
            self = text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : .text(text)
        case .integer, .number:
            let numbers = parts.compactMap { Self.number($0) }
            if numbers.count < parts.count {
                self = .text(text)
            } else {
                self = numbers.count == 1 ? .number(numbers[0]) : .numbers(numbers)
            }
        }
    }

    /// A decimal number as in JSON; Swift alone would take "nan", "inf" and "0x1p3", too.
    package static func number(_ text: Substring) -> Double? {
        let isDecimal = text.utf8.allSatisfy { byte in
            (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || "+-.eE".utf8.contains(byte)
        }
        return isDecimal && text.utf8.first != UInt8(ascii: "+") ? Double(text) : nil
    }

    /// One entry of a list of columns.
    package static func column(
        _ value: Double, _ place: ServiceError.Place, rowLength: Int
    ) throws(ServiceError) -> Int32 {
        let expected = "a column from 0 to \(rowLength - 1)"
        guard value == value.rounded(.towardZero) else {
            throw .wrongType(place, expected: expected, found: spell(value))
        }
        guard value >= 0 && value < Double(rowLength) else {
            throw .outOfRange(place, expected: expected, found: spell(value))
        }
        return Int32(value)
    }

    /// For error messages.
    package var summary: String {
        switch self {
        case .number(let value): Self.spell(value)
        case .text(let value): "\"\(value.prefix(40))\""
        case .numbers(let values): "an array of \(values.count)"
        case .texts(let values): "an array of \(values.count)"
        case .boolean(let value): "\(value)"
        case .other(let kind): kind
        }
    }

    /// "a" or "b" or "c".
    package static func spell(_ words: [String]) -> String {
        words.map { "\"\($0)\"" }.joined(separator: " or ")
    }

    /// A number without ".0".
    package static func spell(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
