import Fixtures
import Foundation

/// openapi.yaml and its neighbours in this checkout.
enum ContractFile {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let yamlURL = root.appending(path: "openapi.yaml")
    static let jsonURL = root.appending(path: "Sources/CContract/openapi.json")
    static let changelogURL = root.appending(path: "CHANGELOG.md")

    static func tree() throws -> Tree {
        try Tree(yaml: String(decoding: Data(contentsOf: yamlURL), as: UTF8.self))
    }
}

/// What the service says of itself; the contract's schemas have to describe it.
struct Evidence {
    let operators: Tree
    let health: Tree
    /// The shortest problem that there is.
    let problem: Tree

    /// From a service that is started for this and stopped again.
    init() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        operators = try Tree(json: client.request("GET", "/operators").body)
        health = try Tree(json: client.request("GET", "/healthz").body)
        problem = try Tree(json: client.request("GET", "/").body)
    }
}
