/// The bearer tokens that are let in.
package struct Tokens: Sendable {
    private let known: [[UInt8]]

    /// One token a line; empty lines and lines that begin with # do not count.
    package init(text: String) {
        known =
            text.split(whereSeparator: { $0.isNewline })
            .map { Array($0.utf8.drop { $0 == 32 || $0 == 9 }) }
            .map { line in Array(line.prefix { $0 > 32 && $0 < 127 }) }
            .filter { !$0.isEmpty && $0[0] != UInt8(ascii: "#") }
    }

    package var isEmpty: Bool { known.isEmpty }

    /// Whether an Authorization header brings one of them. How long it takes depends on lengths
    /// only, not on how much of a token was guessed.
    package func accept(_ authorization: String) -> Bool {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
        let given = Array(parts[1].utf8.drop { $0 == 32 })
        var isKnown = false
        for token in known {
            var difference = UInt8(token.count == given.count ? 0 : 1)
            for i in 0..<given.count { difference |= given[i] ^ token[i % token.count] }
            isKnown = (difference == 0) || isKnown
        }
        return isKnown
    }
}
