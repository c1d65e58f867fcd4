import Fixtures
import Foundation
import Service
import Testing

/// openapi.yaml is the contract: it says what the tables in the code say.
struct ContractTests {
    // Catches: a route, status, media type, operator, parameter, range, default, word or problem
    // code that was changed in the code and not in openapi.yaml, or the other way round.
    @Test("openapi.yaml says what the tables in the code say")
    func tablesAgree() throws {
        let differences = Comparison.differences(of: try ContractFile.tree(), try Evidence())
        #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    }

    // Catches: a change of openapi.yaml that forgot its copy for machines. With
    // TOPKD_WRITE_OPENAPI_JSON=1 (script/openapi-json) the copy is written instead.
    @Test("openapi.json is openapi.yaml")
    func jsonAgrees() throws {
        let tree = try ContractFile.tree()
        if ProcessInfo.processInfo.environment["TOPKD_WRITE_OPENAPI_JSON"] == "1" {
            let text = tree.json(.prettyPrinted) + "\n"
            try Data(text.utf8).write(to: ContractFile.jsonURL)
        }
        let isCopy = try? Tree(json: Data(contentsOf: ContractFile.jsonURL)) == tree
        #expect(
            isCopy == true,
            "Sources/CContract/openapi.json differs from openapi.yaml; run script/openapi-json")
    }

    // Catches: a release that names itself differently in its changelog and on the wire.
    @Test(
        "the first release in CHANGELOG.md is this version",
        .enabled(if: FileManager.default.fileExists(atPath: ContractFile.changelogURL.path)))
    func changelogAgrees() throws {
        let text = String(decoding: try Data(contentsOf: ContractFile.changelogURL), as: UTF8.self)
        let release = text.split(separator: "\n").first { line in
            line.hasPrefix("## ") && line.dropFirst(3).first?.isNumber == true
        }
        let name = release?.dropFirst(3).prefix { $0 != " " }
        #expect(name.map { String($0) } == Version.current)
    }

    // Catches: a contract that outgrows its readers.
    @Test("openapi.yaml has less than 2300 lines of less than 100 columns")
    func yamlIsReadable() throws {
        let text = String(decoding: try Data(contentsOf: ContractFile.yamlURL), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 2300)
        for (index, line) in lines.enumerated() {
            #expect(line.count < 100, "line \(index + 1)")
        }
    }
}
