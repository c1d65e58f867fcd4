import Foundation

/// A case of the golden files of the operators beyond the paper: inputs, parameters, and what
/// comes of them.
package struct FurtherCase: Sendable, CustomStringConvertible {
    package let operatorName: String
    package let id: String
    package let params: JSONTree
    package let inputs: JSONTree
    package let expected: JSONTree

    package var description: String { "\(operatorName) \(id)" }

    /// All cases of one operator.
    package static func load(_ operatorName: String) -> [FurtherCase] {
        struct File: Decodable {
            struct Case: Decodable {
                let id: String
                let params: JSONTree
                let inputs: JSONTree
                let expected: JSONTree
            }
            let cases: [Case]
        }
        guard
            let url = Bundle.module.url(
                forResource: "Golden/\(operatorName)", withExtension: "json"),
            let data = try? Data(contentsOf: url),
            let file = try? JSONDecoder().decode(File.self, from: data)
        else { fatalError("golden data \(operatorName) is not in the test bundle") }
        return file.cases.map {
            FurtherCase(
                operatorName: operatorName, id: $0.id, params: $0.params, inputs: $0.inputs,
                expected: $0.expected)
        }
    }
}

/// Any JSON value.
package indirect enum JSONTree: Codable, Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case object([String: JSONTree])

    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let found = try? value.decode(Bool.self) {
            self = .bool(found)
        } else if let found = try? value.decode(Double.self) {
            self = .number(found)
        } else if let found = try? value.decode(String.self) {
            self = .text(found)
        } else if let found = try? value.decode([JSONTree].self) {
            self = .list(found)
        } else {
            self = .object(try value.decode([String: JSONTree].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        // Whole numbers without ".0": k is one of them.
        case .number(let value):
            if let whole = Int(exactly: value) {
                try container.encode(whole)
            } else {
                try container.encode(value)
            }
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    package subscript(name: String) -> JSONTree? {
        guard case .object(let members) = self, members[name] != .null else { return nil }
        return members[name]
    }

    package var members: [String: JSONTree] {
        if case .object(let members) = self { return members }
        return [:]
    }

    package var elements: [JSONTree] {
        if case .list(let elements) = self { return elements }
        return []
    }

    package var value: Double? {
        if case .number(let value) = self { return value }
        return nil
    }

    /// All numbers in it, in order.
    package var numbers: [Double] {
        switch self {
        case .number(let value): [value]
        case .list(let elements): elements.flatMap { $0.numbers }
        default: []
        }
    }
}
