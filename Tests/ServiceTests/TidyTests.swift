import Foundation
import Testing

/// House style as a test (CONTRIBUTING.md): what a reviewer would otherwise say again and again.
@Suite struct TidyTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Path below the root and lines of every source file.
    private static let files: [(path: String, lines: [Substring])] = {
        var files: [(path: String, lines: [Substring])] = []
        for folder in ["Sources", "Tests", "script"] {
            let start = root.appendingPathComponent(folder)
            let found = FileManager.default.enumerator(atPath: start.path)
            let paths = found?.compactMap { $0 as? String } ?? []
            for path in paths.sorted() {
                let isSource = ["swift", "c", "h", "cpp"].contains { path.hasSuffix("." + $0) }
                guard isSource || folder == "script" else { continue }
                let url = start.appendingPathComponent(path)
                guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                files.append(("\(folder)/\(path)", lines))
            }
        }
        return files
    }()

    @Test("lines have at most 100 columns, files at most 300 lines")
    func sizes() {
        #expect(Self.files.count > 60)
        for (path, lines) in Self.files {
            #expect(lines.count <= 301, "\(path) has \(lines.count) lines")
            for (index, line) in lines.enumerated() {
                #expect(line.count <= 100, "\(path):\(index + 1) has \(line.count) columns")
            }
        }
    }

    @Test("functions have at most 70 lines")
    func functionLengths() {
        for (path, lines) in Self.files where path.hasSuffix(".swift") {
            var start: (line: Int, indent: Substring)?
            for (index, line) in lines.enumerated() {
                let indent = line.prefix { $0 == " " }
                let words = line.dropFirst(indent.count)
                let isFunction = words.contains("func ") && !words.hasPrefix("//")
                // At the same indent the one before had no body: a protocol asks for it.
                if isFunction && (start == nil || start?.indent == indent) {
                    start = (index, indent)
                }
                if let function = start, indent == function.indent, words.hasPrefix("}") {
                    let length = index - function.line + 1
                    #expect(length <= 70, "\(path):\(function.line + 1) has \(length) lines")
                    start = nil
                }
            }
        }
    }

    @Test("nothing is left behind, and the rooms keep to themselves")
    func rooms() {
        let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        let above = ["Execution", "Encodings", "Protocols", "Service"]
        let forbidden: [(folder: String, modules: [String])] = [
            ("Platform", ["Foundation", "MicroHTTPD", "Operators", "Metrics"] + above),
            ("Operators", ["Foundation", "Metrics", "MicroHTTPD"] + above),
            ("MicroHTTPD", ["Foundation", "Operators", "Metrics"] + above),
            ("Metrics", ["Foundation", "Operators", "MicroHTTPD"] + above),
            ("Execution", ["Foundation", "Metrics", "MicroHTTPD"] + above.dropFirst()),
            ("Encodings", ["Foundation", "Metrics", "MicroHTTPD"] + above.dropFirst(2)),
            ("Protocols", ["Foundation", "Metrics", "Service"]),
        ]
        for (path, lines) in Self.files {
            for (index, line) in lines.enumerated() {
                for word in leftovers where line.contains(word) {
                    Issue.record("\(path):\(index + 1) says \(word)")
                }
                for (folder, modules) in forbidden where path.hasPrefix("Sources/\(folder)/") {
                    for module in modules where line == "import \(module)" {
                        Issue.record("\(path) imports \(module)")
                    }
                }
            }
        }
    }

    @Test("no machine's path is in any file")
    func paths() {
        let homes = ["/wo" + "rk/", "/ro" + "ot/", "/opt/sw" + "ift", "/ho" + "me/"]
        for (path, lines) in Self.files {
            for (index, line) in lines.enumerated() {
                for home in homes where line.contains(home) {
                    Issue.record("\(path):\(index + 1) names \(home)")
                }
            }
        }
    }
}
