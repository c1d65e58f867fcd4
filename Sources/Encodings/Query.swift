import Execution

/// One `name=value` of a query string, unescaped.
package struct QueryItem: Equatable, Sendable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A query string, read strictly: what is not well-formed is refused instead of guessed.
package final class Query: Sendable {
    package static let empty = Query(text: "", items: [])

    /// As received.
    package let text: String
    package let items: [QueryItem]

    private init(text: String, items: [QueryItem]) {
        self.text = text
        self.items = items
    }

    /// Reads a query, what follows the question mark.
    package convenience init(_ text: Substring) throws(ServiceError) {
        self.init(text: String(text), items: try Self.parse(text))
    }

    /// Splits and unescapes (%XX and +). Errors: a bad escape, bytes that are not UTF-8, a repeated
    /// name.
    package static func parse(_ text: Substring) throws(ServiceError) -> [QueryItem] {
        guard text.utf8.count <= Limits.queryBytesMax else {
            throw .invalidQuery(reason: "longer than \(Limits.queryBytesMax) bytes")
        }
        var items: [QueryItem] = []
        for part in text.split(separator: "&", omittingEmptySubsequences: true) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try unescape(sides[0])
            guard sides.count == 2 else { throw .invalidQuery(reason: "'\(name)' has no '='") }
            // Each is compared with all before it: thousands would keep an epoll thread busy.
            guard items.count < Limits.queryItemsMax else {
                throw .invalidQuery(reason: "more than \(Limits.queryItemsMax) parameters")
            }
            if items.contains(where: { $0.name == name }) { throw .duplicateKey(name) }
            items.append(QueryItem(name: name, value: try unescape(sides[1])))
        }
        return items
    }

    private static func unescape(_ text: Substring) throws(ServiceError) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") })
        else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                guard let high = rest.next().flatMap(hexDigit),
                    let low = rest.next().flatMap(hexDigit)
                else { throw .invalidQuery(reason: "'\(text)' has a bad % escape") }
                bytes.append(high * 16 + low)
            } else {
                bytes.append(byte)
            }
        }
        guard let result = String(validating: bytes, as: UTF8.self) else {
            throw .invalidQuery(reason: "'\(text)' is not UTF-8 after unescaping")
        }
        return result
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
