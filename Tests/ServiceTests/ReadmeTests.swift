import Fixtures
import Foundation
import Testing

/// Catches a README that no longer says what the service does: runs it word for word.
@Suite struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static let hasNumPy =
        (try? Command("python3", ["-c", "import numpy"]).status) == 0

    /// The fenced blocks of a language, as lines.
    private func blocks(
        _ language: String, of file: String = "README.md"
    ) throws -> [[Substring]] {
        let text = try String(contentsOf: Self.root.appendingPathComponent(file), encoding: .utf8)
        var blocks: [[Substring]] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```\(language)" {
                isInside = true
                blocks.append([])
            } else if line == "```" {
                isInside = false
            } else if isInside {
                blocks[blocks.count - 1].append(line)
            }
        }
        return blocks
    }

    @Test(
        "every curl answers exactly as printed",
        arguments: [("README.md", 5), ("docs/OPERATORS.md", 4)])
    func curls(_ file: String, _ count: Int) throws {
        let service = try LiveService()
        defer { service.stop() }
        var compared = 0
        for block in try blocks("console", of: file) {
            for (command, answer) in zip(block, block.dropFirst()) where command.hasPrefix("$ curl")
            {
                let here = command.dropFirst(2).replacingOccurrences(
                    of: "localhost:8080", with: "127.0.0.1:\(service.port)")
                let run = try Command("sh", ["-c", here])
                #expect(run.output == answer + "\n", "\(command)")
                compared += 1
            }
        }
        #expect(compared == count)
    }

    @Test("a 503 looks as printed")
    func overloaded() throws {
        let service = try LiveService {
            $0.limits.inflightBytesMax = 8192
            $0.limits.bodyBytesMax = 8192
        }
        defer { service.stop() }
        let octets = ("Content-Type", "application/octet-stream")
        let holder = try service.holdMemory(byteCount: 8)
        let response = try withExtendedLifetime(holder) {
            try service.client().request(
                "POST", "/topk?n=2&k=1", headers: [octets, ("X-Request-Id", "demo")],
                body: [UInt8](repeating: 0, count: 8000))
        }
        #expect(try blocks("json") == [[Substring(response.text.dropLast())]])
    }

    @Test("the NumPy snippet runs", .enabled(if: hasNumPy))
    func numPy() throws {
        let service = try LiveService()
        defer { service.stop() }
        let snippet = try #require(try blocks("python").first).joined(separator: "\n")
            .replacingOccurrences(of: ":8080", with: ":\(service.port)")
        let run = try Command("python3", ["-c", snippet])
        #expect(run.status == 0 && run.output.hasSuffix("] True\n"), "\(run.output)")
    }

    @Test("the flags of docs/OPERATIONS.md are those of the program, with their defaults")
    func flags() throws {
        // Wrapped as the terminal is wide: compared as words.
        let help = try Command(Command.topkd, ["serve", "--help"]).output
            .split(whereSeparator: { " \n".contains($0) }).joined(separator: " ")
        let text = try String(
            contentsOf: Self.root.appendingPathComponent("docs/OPERATIONS.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| --") }
        for row in rows {
            let cells = row.split(separator: "|").map { $0.split(separator: " ").first ?? "" }
            #expect(help.contains(cells[0] + " "), "\(cells[0]) is not in serve --help")
            let value = cells[1].hasSuffix(",") ? cells[1].dropLast() : cells[1]
            if cells[1] == "one" || cells[1] == "none" { continue }
            let says = [")", ","].contains { help.contains("(default: \(value)\($0)") }
            #expect(says, "\(cells[0]) \(cells[1])")
        }
        let documented = Set(rows.compactMap { $0.dropFirst(2).split(separator: " ").first })
        let offered = help.split(whereSeparator: { " \n".contains($0) }).filter { word in
            word.hasPrefix("--") && word != "--version" && word != "--help"
        }.map { $0.last == "." || $0.last == ";" ? $0.dropLast() : $0 }
        let missing = Set(offered).subtracting(documented)
        #expect(missing.isEmpty, "\(missing)")
    }
}
