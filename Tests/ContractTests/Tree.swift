import Foundation
import Yams

/// A JSON or YAML document. Numbers are doubles: 3 and 3.0 are the same, as in JSON Schema.
indirect enum Tree: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([Tree])
    case object([String: Tree])

    subscript(key: String) -> Tree? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var members: [String: Tree] {
        if case .object(let members) = self { members } else { [:] }
    }

    /// Names of the members, sorted.
    var keys: [String] { members.keys.sorted() }

    var elements: [Tree] {
        if case .list(let elements) = self { elements } else { [] }
    }

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var value: Double? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The texts of a list.
    var words: [String] { elements.compactMap { $0.text } }
}

// MARK: Reading

extension Tree {
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    init(yaml: String) throws { try self.init(Yams.load(yaml: yaml) ?? NSNull(), at: "#") }

    init(json: some Sequence<UInt8>) throws {
        self = try JSONDecoder().decode(Tree.self, from: Data(json))
    }

    /// From what Yams gives. A scalar that it takes for a date or a NaN has to be quoted.
    private init(_ any: Any, at path: String) throws {
        switch any {
        case is NSNull: self = .null
        case let bool as Bool: self = .bool(bool)
        case let integer as Int: self = .number(Double(integer))
        case let double as Double where double.isFinite: self = .number(double)
        case let text as String: self = .string(text)
        case let elements as [Any]:
            self = .list(
                try elements.enumerated().map { try Tree($0.element, at: "\(path)/\($0.offset)") })
        case let members as [String: Any]:
            var object: [String: Tree] = [:]
            for (key, member) in members { object[key] = try Tree(member, at: "\(path)/\(key)") }
            self = .object(object)
        default:
            throw Unreadable(description: "\(path): \(any) is no JSON; a quote is missing")
        }
    }
}

// MARK: Writing

extension Tree: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let bool = try? container.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let elements = try? container.decode([Tree].self) {
            self = .list(elements)
        } else {
            self = .object(try container.decode([String: Tree].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .number(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .list(let elements): try container.encode(elements)
        case .object(let members): try container.encode(members)
        }
    }

    /// As JSON, keys sorted.
    func json(_ formatting: JSONEncoder.OutputFormatting = []) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        guard let data = try? encoder.encode(self) else { return "not encodable" }
        return String(decoding: data, as: UTF8.self)
    }
}

extension Tree: ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: Tree...) { self = .list(elements) }
    init(dictionaryLiteral members: (String, Tree)...) {
        self = .object(Dictionary(uniqueKeysWithValues: members))
    }

    init(_ words: [String]) { self = .list(words.map { .string($0) }) }
}

// MARK: Places

extension Tree {
    /// A way into a tree: member names, and indices in decimal.
    typealias Path = [String]

    subscript(path: Path) -> Tree? {
        path.reduce(Optional(self)) { tree, step in
            switch tree {
            case .object(let members): members[step]
            case .list(let elements): Int(step).flatMap { $0 < elements.count ? elements[$0] : nil }
            default: nil
            }
        }
    }

    /// Follows "#/components/...", as often as needed. Members beside $ref overlay its target's.
    func resolving(_ tree: Tree?) -> Tree? {
        guard case .object(var members) = tree, let reference = members["$ref"]?.text else {
            return tree
        }
        let path = reference.split(separator: "/").dropFirst().map { String($0) }
        guard let target = resolving(self[path]) else { return nil }
        members["$ref"] = nil
        return .object(target.members.merging(members) { $1 })
    }

    /// Every way to a member or an element, but not below one whose path `isLeaf`.
    func paths(below path: Path = [], notBelow isLeaf: (Path) -> Bool) -> [Path] {
        let steps: [(String, Tree)]
        switch self {
        case .object: steps = keys.map { ($0, members[$0] ?? .null) }
        case .list(let elements): steps = elements.enumerated().map { (String($0), $1) }
        default: steps = []
        }
        return steps.flatMap { step, child in
            let way = path + [step]
            return [way] + (isLeaf(way) ? [] : child.paths(below: way, notBelow: isLeaf))
        }
    }

    /// The tree with something else at `path`; nil removes what is there.
    func changing(_ path: ArraySlice<String>, _ change: (Tree) -> Tree?) -> Tree {
        guard let step = path.first else { return self }
        func changed(_ child: Tree) -> Tree? {
            path.count == 1 ? change(child) : child.changing(path.dropFirst(), change)
        }
        switch self {
        case .object(var members):
            members[step] = members[step].flatMap { changed($0) }
            return .object(members)
        case .list(var elements):
            guard let index = Int(step), index < elements.count else { return self }
            let replacement = changed(elements[index]).map { [$0] } ?? []
            elements.replaceSubrange(index...index, with: replacement)
            return .list(elements)
        default:
            return self
        }
    }
}
