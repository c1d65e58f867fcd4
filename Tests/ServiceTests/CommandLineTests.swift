import Fixtures
import Foundation
import Testing

/// Catches a command line that does not explain itself, and an end that is not orderly: runs the
/// real executable.
@Suite struct CommandLineTests {
    @Test("--version says which")
    func version() throws {
        let run = try Command(Command.topkd, ["--version"])
        #expect(run.status == 0 && run.output == "topkd 0.1.0\n")
    }

    @Test("bad flags explain themselves")
    func badFlags() throws {
        let range = try Command(Command.topkd, ["serve", "--port", "70000"])
        #expect(range.status == 64)
        #expect(range.output.contains("--port must be from 0 to 65535, and is 70000."))
        let word = try Command(Command.topkd, ["serve", "--workers", "many"])
        #expect(word.status == 64 && word.output.contains("'many' is invalid for '--workers"))
        let unknown = try Command(Command.topkd, ["serve", "--prot", "1"])
        #expect(unknown.status == 64 && unknown.output.contains("--port"), "\(unknown.output)")
        let level = try Command(Command.topkd, ["serve", "--log-level", "loud"])
        #expect(level.status == 64 && level.output.contains("trace, debug, info"))
        let budget = try Command(
            Command.topkd, ["serve", "--body-bytes-max", "1001", "--inflight-bytes-max", "1000"])
        #expect(budget.status == 64 && budget.output.contains("--body-bytes-max"))
        // In its own name, not in that of what is derived from it.
        for value in ["0", "1"] {
            let none = try Command(Command.topkd, ["serve", "--inflight-bytes-max", value])
            #expect(none.status == 64)
            #expect(none.output.contains("--inflight-bytes-max must be from 2"))
        }
    }

    @Test("a bad environment variable is named")
    func badEnvironment() throws {
        let run = try Command(
            Command.topkd, ["serve"], environment: ["TOPKD_QUEUE_DEPTH_MAX": "lots"])
        #expect(run.status == 64)
        #expect(run.output.contains("TOPKD_QUEUE_DEPTH_MAX"))
        #expect(run.output.contains("'lots' is invalid"))
    }

    @Test("a taken port is said plainly")
    func takenPort() throws {
        let service = try LiveService()
        defer { service.stop() }
        let run = try Command(Command.topkd, ["serve", "--port", "\(service.port)"])
        #expect(run.status != 0)
        #expect(
            run.output.contains(
                "cannot listen on 127.0.0.1:\(service.port): bind: Address already in use"))
    }

    @Test(
        "serve listens where it is told, answers, and ends on SIGTERM with 0",
        arguments: [false, true])
    func serve(_ usesEnvironment: Bool) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Command.topkd)
        process.arguments = usesEnvironment ? ["serve"] : ["serve", "--port", "0"]
        if usesEnvironment {
            process.environment = ProcessInfo.processInfo.environment.merging(
                ["TOPKD_PORT": "0", "TOPKD_WORKERS": "3"]) { $1 }
        }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(line.hasPrefix("topkd 0.1.0 listening on http://127.0.0.1:"))
        let port = try #require(line.split(separator: ":").last.flatMap { Int($0.dropLast()) })
        #expect(port != 0 && port != 8080)
        let client = try HTTPClient(port: port)
        #expect(try client.post("/topk", json: #"{"x": [3, 1], "k": 1}"#).status == 200)
        if usesEnvironment {
            #expect(try client.request("GET", "/metrics").text.contains("topkd_workers 3.0\n"))
        }
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
        #expect(client.isClosedByServer())
    }

    // Catches: Ctrl-C that a drain of minutes cannot be hurried by.
    @Test("a second signal ends it at once")
    func secondSignal() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Command.topkd)
        process.arguments = ["serve", "--port", "0", "--drain-delay-seconds", "15"]
        let output = Pipe()
        let log = Pipe()
        process.standardOutput = output
        process.standardError = log
        try process.run()
        _ = output.fileHandleForReading.availableData
        process.terminate()
        let first = String(decoding: log.fileHandleForReading.availableData, as: UTF8.self)
        #expect(first.contains("draining"))
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationStatus == 128 + SIGINT)
    }
}
