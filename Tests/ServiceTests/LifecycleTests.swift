import Fixtures
import Foundation
import Testing

/// Catches a service that leaves its load balancer, its container or its log reader alone: runs the
/// real executable.
@Suite struct LifecycleTests {
    /// A running `topkd serve --port 0 ...` and what it has logged.
    private final class Running {
        let process = Process()
        let port: Int
        private let errors = Pipe()

        init(_ arguments: [String], environment: [String: String] = [:]) throws {
            process.executableURL = URL(fileURLWithPath: Command.topkd)
            process.arguments = ["serve", "--port", "0"] + arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            let output = Pipe()
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            let digits = line.prefix { $0 != "\n" }.split(separator: ":").last ?? ""
            port = try #require(Int(digits), "\(line)")
        }

        /// Ends it; what it has written to standard error.
        func end() -> String {
            process.terminate()
            process.waitUntilExit()
            return String(
                decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
    }

    private static let body = #"{"x": [3, 1, 2], "k": 1, "lambda": 0, "secret_name": 1}"#

    @Test("each request has its line in the log: what and how, and none of its numbers")
    func accessLog() throws {
        let running = try Running(["--access-log", "all"])
        let client = try HTTPClient(port: running.port)
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let good = try client.post(
            "/topk", json: #"{"x": [[3.14159, 1], [2.71828, 1]], "k": 1, "lambda": 0}"#,
            headers: [
                ("X-Request-Id", "mine"), ("traceparent", "00-\(trace)-00f067aa0ba902b7-01"),
                ("Accept", "application/octet-stream"),
            ])
        #expect(good.status == 200)
        let bad = try client.post("/topk", json: Self.body, headers: [("X-Request-Id", "other")])
        #expect(bad.status == 422)
        let lines = running.end().split(separator: "\n").filter { $0.contains("request_id=") }
        try #require(lines.count == 2, "\(lines)")
        let words = Set(lines[0].split(separator: " ").map { String($0) })
        let expected = [
            "request_id=mine", "trace_id=\(trace)", "method=POST", "route=/topk", "operator=mask",
            "direction=forward", "codecs=json>octet-stream", "rows=2", "n=2", "k=1",
            "dtype=float32", "nnz=2", "body_bytes=56", "answer_bytes=32", "status=200",
        ]
        #expect(words.isSuperset(of: expected), "\(lines[0])")
        for stage in ["decode", "queue", "compute", "encode", "total"] {
            #expect(words.contains { $0.hasPrefix("\(stage)_us=") })
        }
        #expect(lines[1].contains("request_id=other") && lines[1].contains("status=422"))
        #expect(lines[1].contains("code=unknown_parameter"))
        #expect(!lines.joined().contains("3.14") && !lines.joined().contains("2.7"))
    }

    @Test(
        "errors are logged unless told otherwise, good requests are not", arguments: [true, false])
    func quietLog(_ isOff: Bool) throws {
        let running = try Running(isOff ? ["--access-log", "off"] : [])
        let client = try HTTPClient(port: running.port)
        _ = try client.request("GET", "/livez")
        _ = try client.request("GET", "/nowhere")
        let count = running.end().split(separator: "\n").filter { $0.contains("request_id=") }.count
        #expect(count == (isOff ? 0 : 1))
    }

    // Catches a log that stops the service, and its end, when nobody reads it.
    @Test("a log that nobody reads loses lines, not requests")
    func unreadLog() throws {
        let running = try Running(["--access-log", "all"])
        let client = try HTTPClient(port: running.port, timeoutSeconds: 10)
        for _ in 0..<1500 { #expect(try client.request("GET", "/livez").status == 200) }
        running.process.terminate()
        running.process.waitUntilExit()
        #expect(running.process.terminationStatus == 0)
    }

    @Test("a method of the client's making does not get into the log")
    func oddMethod() throws {
        let running = try Running([])
        let client = try HTTPClient(port: running.port)
        _ = try client.request("A\u{1b}[31mRED", "/livez")
        let log = running.end()
        #expect(log.contains("method=other") && !log.contains("RED"))
    }

    @Test("after SIGTERM all goes on for the drain delay, but for /readyz and keep-alive")
    func drainDelay() throws {
        let running = try Running(["--drain-delay-seconds", "2"])
        let before = try HTTPClient(port: running.port)
        #expect(try before.request("GET", "/readyz").status == 200)
        running.process.terminate()
        var ready = 200
        for _ in 0..<100 where ready == 200 {
            usleep(10_000)
            ready = try HTTPClient(port: running.port).request("GET", "/readyz").status
        }
        #expect(ready == 503)
        usleep(500_000)
        let late = try HTTPClient(port: running.port).post(
            "/topk", json: #"{"x": [3, 1], "k": 1}"#)
        #expect(late.status == 200 && late.header("Connection") == "close")
        running.process.waitUntilExit()
        #expect(running.process.terminationStatus == 0)
    }

    @Test("a connection ends with an answer when it is old")
    func connectionAge() throws {
        let running = try Running(["--connection-age-max-seconds", "1"])
        let client = try HTTPClient(port: running.port)
        #expect(try client.request("GET", "/livez").header("Connection") != "close")
        usleep(1_300_000)
        #expect(try client.request("GET", "/livez").header("Connection") == "close")
        #expect(client.isClosedByServer())
        _ = running.end()
    }

    @Test("healthcheck says 0 of a service that is ready, and 1 of none")
    func healthcheck() throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("topkd-\(UInt64.random(in: 0 ... .max)).sock").path
        let running = try Running(["--unix", path])
        let port = "\(running.port)"
        #expect(try Command(Command.topkd, ["healthcheck", "--port", port]).status == 0)
        #expect(try Command(Command.topkd, ["healthcheck", "--unix", path]).status == 0)
        #expect(
            try Command(Command.topkd, ["healthcheck"], environment: ["TOPKD_PORT": port]).status
                == 0)
        let missing = try Command(
            Command.topkd, ["healthcheck", "--port", port, "--path", "/nowhere"])
        #expect(missing.status == 1 && missing.output.contains("HTTP/1.1 404"))
        _ = running.end()
        let none = try Command(Command.topkd, ["healthcheck", "--port", port])
        #expect(none.status == 1 && none.output.contains("Connection refused"))
    }

    @Test("flags that cannot be are refused before anything listens")
    func badFlags() throws {
        for (arguments, text) in [
            (["--isa", "mmx"], "--isa must be one of auto, baseline, avx2, avx512"),
            (["--access-log", "some"], "--access-log must be one of off, errors, all"),
            (["--tcp", "off"], "--tcp off needs --unix"),
            (["--tls-key", "/dev/null"], "go together"),
            (["--token-file", "/dev/null"], "holds no token"),
            (["--token-file", "\(#filePath)"], "is no token of visible ASCII"),
            (["--token-file", "/nowhere"], "No such file or directory"),
            (["--unix-mode", "999", "--unix", "/tmp/x"], "--unix-mode must be octal"),
            (["--header-timeout-seconds", "0"], "--header-timeout-seconds must be from 1"),
        ] {
            let run = try Command(Command.topkd, ["serve", "--port", "0"] + arguments)
            #expect(run.status != 0 && run.output.contains(text), "\(arguments): \(run.output)")
        }
    }
}
