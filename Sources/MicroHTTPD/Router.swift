/// Finds what belongs to a path. Patterns are paths whose segments may be names in braces, which
/// stand for any one segment: "/models/{name}/infer".
package struct Router<Endpoint: Sendable>: Sendable {
    /// Paths without names.
    private let plain: [String: Endpoint]
    private let patterns: [Pattern]

    private struct Pattern {
        /// nil for a name.
        let segments: [Substring?]
        let endpoint: Endpoint
    }

    /// - Parameter routes: patterns begin with a slash; each path has one meaning, or the first.
    package init(_ routes: [(pattern: String, endpoint: Endpoint)]) {
        var plain: [String: Endpoint] = [:]
        var patterns: [Pattern] = []
        for (pattern, endpoint) in routes {
            precondition(pattern.hasPrefix("/"), "a pattern is a path: \(pattern)")
            if pattern.contains("{") {
                let segments = Self.segments(pattern).map { $0.hasPrefix("{") ? nil : $0 }
                patterns.append(Pattern(segments: segments, endpoint: endpoint))
            } else if plain[pattern] == nil {
                plain[pattern] = endpoint
            }
        }
        self.plain = plain
        self.patterns = patterns
    }

    private static func segments(_ path: String) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    /// What belongs to a path, and what its pattern's names stand for; nil if nothing does. A path
    /// without names comes before patterns. O(1), or O(patterns).
    package func match(_ path: String) -> (endpoint: Endpoint, captures: [String])? {
        if let endpoint = plain[path] { return (endpoint, []) }
        guard !patterns.isEmpty, path.hasPrefix("/") else { return nil }
        let segments = Self.segments(path)
        for pattern in patterns where pattern.segments.count == segments.count {
            let pairs = zip(pattern.segments, segments)
            guard pairs.allSatisfy({ $0 == nil ? !$1.isEmpty : $0 == $1 }) else { continue }
            return (pattern.endpoint, pairs.filter { $0.0 == nil }.map { String($0.1) })
        }
        return nil
    }
}
