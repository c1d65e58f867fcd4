import Fixtures
import Foundation
import Testing

/// Catches variables that stop a service although nobody configured it by them, and those that
/// configure it and are not seen: runs the real executable.
@Suite struct EnvironmentTests {
    /// What Kubernetes sets in pods of a namespace with Services called topkd and topkd-probe.
    private static let serviceLinks = [
        "TOPKD_PORT": "tcp://10.96.12.7:8080",
        "TOPKD_PORT_8080_TCP": "tcp://10.96.12.7:8080",
        "TOPKD_PORT_8080_TCP_ADDR": "10.96.12.7",
        "TOPKD_PORT_8080_TCP_PORT": "8080",
        "TOPKD_PORT_8080_TCP_PROTO": "tcp",
        "TOPKD_SERVICE_HOST": "10.96.12.7",
        "TOPKD_SERVICE_PORT": "8080",
        "TOPKD_PROBE_PORT": "udp://10.96.12.8:8081",
    ]

    private static let hint = "Set enableServiceLinks: false in the pod's spec, or give --port."

    /// Runs topkd, for ten seconds at most: what is not refused serves for ever.
    private func topkd(
        _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> Command {
        try Command("timeout", ["10", Command.topkd] + arguments, environment: environment)
    }

    @Test("service links of Kubernetes are passed over: it serves, and its health check finds it")
    func serves() throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("topkd-\(UInt64.random(in: 0 ... .max)).sock").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Command.topkd)
        process.arguments = ["serve"]
        // Not on the default port, which may be taken.
        let environment = Self.serviceLinks.merging(["TOPKD_TCP": "off", "TOPKD_UNIX": path]) { $1 }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        let log = Pipe()
        process.standardOutput = output
        process.standardError = log
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(line.contains("listening on") && line.contains(path), "\(line)")
        let health = try topkd(["healthcheck"], environment)
        #expect(health.status == 0 && health.output.hasSuffix("ok\n"), "\(health.output)")
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
        let said = String(
            decoding: log.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(said.contains("Warning: TOPKD_PORT is passed over: tcp://10.96.12.7:8080 looks"))
        #expect(said.contains("Warning: TOPKD_PROBE_PORT is passed over: udp://10.96.12.8:8081"))
        #expect(said.contains(Self.hint))
        #expect(!said.contains("TOPKD_SERVICE") && !said.contains("TOPKD_PORT_8080"))
    }

    @Test(
        "what is passed over leaves the default, in serve and healthcheck",
        arguments: ["tcp://10.96.12.7:8080", "udp://10.96.12.7:8080", "sctp://10.96.12.7:1", ""])
    func defaults(_ value: String) throws {
        // Nothing listens on an address of RFC 5737: the error says what it tried.
        let serve = try topkd(["serve", "--host", "192.0.2.1"], ["TOPKD_PORT": value])
        #expect(serve.output.contains("Warning: TOPKD_PORT is passed over"), "\(serve.output)")
        #expect(serve.output.contains("cannot listen on 192.0.2.1:8080: "), "\(serve.output)")
        #expect(serve.output.contains(Self.hint) != value.isEmpty, "\(serve.output)")
        #expect(serve.output.contains("it is empty") == value.isEmpty, "\(serve.output)")

        let service = try LiveService()
        defer { service.stop() }
        let health = try topkd(
            ["healthcheck"],
            ["TOPKD_TCP": value, "TOPKD_PROBE_PORT": value, "TOPKD_PORT": "\(service.port)"])
        #expect(health.status == 0 && health.output.hasSuffix("ok\n"), "\(health.output)")
        for name in ["TOPKD_TCP", "TOPKD_PROBE_PORT"] {
            #expect(health.output.contains("Warning: \(name) is passed over"), "\(health.output)")
        }
    }

    @Test("a flag wins, and nothing is said of its variable")
    func flagWins() throws {
        let serve = try topkd(["serve", "--host=192.0.2.1", "--port", "1"], Self.serviceLinks)
        #expect(serve.output.contains("cannot listen on 192.0.2.1:1: "), "\(serve.output)")
        #expect(!serve.output.contains("TOPKD_PORT"), "\(serve.output)")
        let service = try LiveService()
        defer { service.stop() }
        let health = try topkd(["healthcheck", "--port", "\(service.port)"], Self.serviceLinks)
        #expect(health.status == 0 && health.output == "ok\n", "\(health.output)")
    }

    @Test("a port that is none is an error", arguments: ["80x", " 8080", "tcp:8080", "70000"])
    func noPort(_ value: String) throws {
        let serve = try topkd(["serve"], ["TOPKD_PORT": value])
        #expect(serve.status == 64, "\(serve.output)")
        #expect(serve.output.contains("TOPKD_PORT") && serve.output.contains(value))
        let health = try topkd(["healthcheck"], ["TOPKD_PORT": value])
        #expect(health.status == 1, "\(health.output)")
        #expect(health.output.contains("TOPKD_PORT must be from 0 to 65535, and is \(value)"))
    }

    @Test("each flag of serve --help has its variable")
    func everyFlag() throws {
        let help = try topkd(["serve", "--help"]).output
        let flags = help.split(separator: "\n").filter { $0.hasPrefix("  --") }
            .compactMap { $0.split(separator: " ").first }
            .filter { $0 != "--version" }
        #expect(flags.count >= 27)
        let names = flags.map {
            "TOPKD_" + $0.dropFirst(2).replacingOccurrences(of: "-", with: "_").uppercased()
        }
        let run = try topkd(
            ["serve"], Dictionary(uniqueKeysWithValues: names.map { ($0, "x") }))
        #expect(run.status == 64)
        let note = try #require(
            run.output.split(separator: "\n").first { $0.hasPrefix("Note: these flags came") })
        let used = note.split(separator: ":")[2].split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(used.sorted() == names.sorted())
    }

    @Test("each limit has its range, and says it")
    func ranges() throws {
        let help = try topkd(["serve", "--help"]).output
        let limits = help.split(separator: "\n").drop { $0 != "LIMITS:" }.dropFirst()
            .prefix { $0 != "OPTIONS:" }.filter { $0.hasPrefix("  --") }
            .compactMap { $0.split(separator: " ").first }
        #expect(limits.count >= 14)
        for flag in limits {
            let below = try topkd(["serve", "\(flag)=-1"])
            #expect(below.status == 64)
            #expect(below.output.contains("\(flag) must be from "), "\(below.output)")
            let word = try topkd(["serve", "\(flag)=1e3"])
            #expect(word.status == 64)
            #expect(word.output.contains("it must be a whole number from "), "\(word.output)")
        }
    }
}
