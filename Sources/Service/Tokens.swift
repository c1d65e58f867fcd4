/// The bearer tokens that are let in.
package struct Tokens: Sendable {
    private let known: [[UInt8]]

    /// One token a line; empty lines and lines that begin with # do not count, nor do lines that
    /// are no token (see `firstBadLine`).
    package init(text: String) {
        known = Self.lines(text).filter { Self.isToken($0) }
    }

    /// The number of the first line, from 1, that is neither a token of visible ASCII, nor empty,
    /// nor a comment. Half of a line must not become a token.
    package static func firstBadLine(_ text: String) -> Int? {
        lines(text).firstIndex { !$0.isEmpty && $0[0] != UInt8(ascii: "#") && !isToken($0) }
            .map { $0 + 1 }
    }

    private static func isToken(_ line: [UInt8]) -> Bool {
        !line.isEmpty && line[0] != UInt8(ascii: "#") && line.allSatisfy { $0 > 32 && $0 < 127 }
    }

    /// Lines without the blanks and the CR at their ends.
    private static func lines(_ text: String) -> [[UInt8]] {
        text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { line in
            let isBlank = { (byte: UInt8) in byte == 32 || byte == 9 || byte == 13 }
            return Array(
                Array(line.drop(while: isBlank)).reversed().drop(while: isBlank).reversed())
        }
    }

    package var isEmpty: Bool { known.isEmpty }

    /// The place of the token that an Authorization header brings; nil if it is not known. How long
    /// it takes depends on lengths only, not on how much of a token was guessed.
    package func find(_ authorization: String) -> Int? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let given = Array(parts[1].utf8.drop { $0 == 32 })
        var found = -1
        for (place, token) in known.enumerated() {
            var difference = UInt8(token.count == given.count ? 0 : 1)
            for i in 0..<given.count { difference |= given[i] ^ token[i % token.count] }
            found = difference == 0 ? place : found
        }
        return found < 0 ? nil : found
    }
}
