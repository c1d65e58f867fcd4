import Operators

/// A parameter as the client wrote it, before anyone knows what it should be.
enum RawValue: Equatable {
    case number(Double)
    case text(String)
    case numbers([Double])
    /// Something that no parameter takes, by its name in JSON: "an object", "null" ...
    case other(String)

    /// Reads a query's text as a value of `kind`: numbers, comma-separated, where numbers belong.
    init(queryText text: String, for kind: ParameterSpec.Kind) {
        if case .choice = kind {
            self = .text(text)
            return
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Self.number($0) }
        if numbers.count < parts.count {
            self = .text(text)
        } else {
            self = numbers.count == 1 ? .number(numbers[0]) : .numbers(numbers)
        }
    }

    /// A decimal number as in JSON; Swift alone would take "nan", "inf" and "0x1p3", too.
    static func number(_ text: Substring) -> Double? {
        let isDecimal = text.utf8.allSatisfy { byte in
            (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || "+-.eE".utf8.contains(byte)
        }
        return isDecimal ? Double(text) : nil
    }

    /// For error messages.
    var summary: String {
        switch self {
        case .number(let value): Self.spell(value)
        case .text(let value): "\"\(value.prefix(40))\""
        case .numbers(let values): "an array of \(values.count)"
        case .other(let kind): kind
        }
    }

    /// A number without ".0".
    static func spell(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
