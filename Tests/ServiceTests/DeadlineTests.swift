import Fixtures
import Foundation
import Execution
import Platform
import Testing

/// Catches clients that hold a connection, memory or a worker for as long as they like.
@Suite struct DeadlineTests {
    private static let json = "Content-Type: application/json\r\n"

    private func service(_ configure: @escaping (inout Limits) -> Void = { _ in }) throws
        -> LiveService
    {
        try LiveService(doors: .withSlowWork) {
            $0.limits.headerTimeoutSeconds = 1
            $0.limits.stallTimeoutSeconds = 1
            configure(&$0.limits)
        }
    }

    /// Whether the server closes within the deadline and two scans; others are served meanwhile.
    private func expectGone(
        _ service: LiveService, _ slow: HTTPClient, trickle: String? = nil
    ) throws {
        let start = MonotonicClock.now()
        let other = try service.client()
        var isGone = false
        while !isGone && MonotonicClock.now() - start < 8_000_000_000 {
            #expect(try other.request("GET", "/livez").status == 200)
            if let trickle { slow.send(trickle) }
            isGone = slow.isClosed(withinMilliseconds: 100)
        }
        let seconds = Double(MonotonicClock.now() - start) / 1e9
        #expect(isGone && seconds > 0.5 && seconds < 7, "after \(seconds) s")
    }

    @Test(
        "a header that trickles in, or never comes, ends",
        arguments: ["", "POST /to", "GET /livez HTTP/1.1\r\nHost: t\r\nX-A: "])
    func slowHeader(_ begin: String) throws {
        let service = try service()
        defer { service.stop() }
        let slow = try service.client()
        slow.send(begin)
        try expectGone(service, slow, trickle: begin.isEmpty ? nil : "a")
    }

    @Test("a second header that trickles in ends, too")
    func slowSecondHeader() throws {
        let service = try service()
        defer { service.stop() }
        let slow = try service.client()
        #expect(try slow.request("GET", "/livez").status == 200)
        // An idle connection is left alone.
        usleep(2_500_000)
        #expect(try slow.request("GET", "/livez").status == 200)
        slow.send("GET /")
        try expectGone(service, slow, trickle: "a")
    }

    @Test("a body that trickles in, stops, or comes to be discarded ends", arguments: [200, 404])
    func slowBody(_ status: Int) throws {
        let service = try service()
        defer { service.stop() }
        let slow = try service.client()
        let path = status == 200 ? "/topk" : "/nowhere"
        slow.send(
            "POST \(path) HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\(Self.json)\r\n{\"x\"")
        try expectGone(service, slow, trickle: " ")
        // The client sees the end of the connection before the library has put it away.
        let expected = [
            "topkd_cancelled_total{phase=\"receive\"} 1\n", "topkd_inflight_bytes 0.0\n",
            "topkd_connections_closed_total{reason=\"timeout\"} 1\n",
        ]
        let observer = try service.client()
        var missing = expected
        for _ in 0..<100 where !missing.isEmpty {
            let metrics = try observer.request("GET", "/metrics").text
            missing = expected.filter { !metrics.contains($0) }
            usleep(20_000)
        }
        #expect(missing.isEmpty, "\(missing)")
    }

    // Catches: memory that is held for hours by a body that comes just fast enough.
    @Test("a body that is not whole at its deadline ends", arguments: [true, false])
    func lateBody(_ isClients: Bool) throws {
        let service = try service {
            $0.stallTimeoutSeconds = 60
            $0.requestTimeoutSeconds = isClients ? 60 : 1
        }
        defer { service.stop() }
        let slow = try service.client()
        slow.send(
            "POST /topk?n=250000&k=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n"
                + (isClients ? "Topk-Timeout-Ms: 1000\r\n" : "")
                + "Content-Type: application/octet-stream\r\n\r\n")
        try expectGone(service, slow, trickle: String(repeating: "\0", count: 1000))
    }

    // Catches: the begin of a request that came with the one before, and was nobody's business.
    @Test("half a request behind a whole one ends")
    func halfBehind() throws {
        let service = try service()
        defer { service.stop() }
        let slow = try service.client()
        slow.send("GET /livez HTTP/1.1\r\nHost: t\r\n\r\nGE")
        #expect(try slow.readResponse().status == 200)
        try expectGone(service, slow)
    }

    // Catches: an end of the stream that came together with bytes, which the library does not see.
    // Bodies that will never be whole held their memory until the stall timeout.
    @Test(
        "who leaves in the middle of a request is gone at once, deadlines or not",
        arguments: [
            "POST /to", "POST /topk HTTP/1.1\r\nHost: t\r\n", "body",
        ])
    func leaving(_ part: String) throws {
        let service = try service {
            $0.headerTimeoutSeconds = 60
            $0.stallTimeoutSeconds = 60
        }
        defer { service.stop() }
        let head = "POST /topk?n=250000&k=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n"
        let type = "Content-Type: application/octet-stream\r\n\r\n"
        let body = String(repeating: "\0", count: 300_000)
        for _ in 0..<30 { try service.client().send(part == "body" ? head + type + body : part) }
        let start = MonotonicClock.now()
        let observer = try service.client()
        let expected = ["topkd_inflight_bytes 0.0\n", "topkd_connections_open 1.0\n"]
        var missing = expected
        while !missing.isEmpty && MonotonicClock.now() - start < 10_000_000_000 {
            let metrics = try observer.request("GET", "/metrics").text
            missing = expected.filter { !metrics.contains($0) }
            usleep(20_000)
        }
        #expect(missing.isEmpty, "\(missing)")
    }

    @Test("an answer that nobody reads ends")
    func slowReader() throws {
        let service = try service()
        defer { service.stop() }
        let slow = try service.client()
        let body = [UInt8](repeating: 0, count: 16 << 20)
        slow.send(
            "POST /topk?n=1024&k=1&lambda=0&format=dense HTTP/1.1\r\nHost: t\r\nContent-Length: "
                + "\(body.count)\r\nContent-Type: application/octet-stream\r\n\r\n")
        slow.send(body)
        let observer = try service.client()
        var metrics = ""
        for _ in 0..<80 where !metrics.contains("topkd_cancelled_total{phase=\"send\"} 1\n") {
            usleep(100_000)
            metrics = try observer.request("GET", "/metrics").text
        }
        #expect(metrics.contains("topkd_cancelled_total{phase=\"send\"} 1\n"))
        withExtendedLifetime(slow) {}
    }

    @Test("Topk-Timeout-Ms is honoured in the queue and in long work, and checked")
    func clientDeadline() throws {
        let service = try service { $0.workers = 1 }
        defer { service.stop() }
        let busy = try service.occupyWorker()
        let client = try service.client()
        let request = #"{"x": [3, 1, 2], "k": 1}"#
        let late = try client.post("/topk", json: request, headers: [("Topk-Timeout-Ms", "1")])
        try BadInputTests.check(late, 504, "deadline_passed", nil)
        #expect(late.text.contains("stage queue"))
        try BadInputTests.check(busy.readResponse(), 504, "deadline_passed", nil)
        for bad in ["0", "-1", "1.5", "", "99999999999999999999", "ten"] {
            let refused = try client.post(
                "/topk", json: request, headers: [("Topk-Timeout-Ms", bad)])
            try BadInputTests.check(refused, 400, "invalid_header", "Topk-Timeout-Ms")
        }
    }

    // Catches: an answer that is kept from a client which only half-closed, and reads on. Whether
    // it has gone nobody can tell.
    @Test("who has ended its side while it waited is answered")
    func halfClosed() throws {
        let service = try service { $0.workers = 1 }
        defer { service.stop() }
        let busy = try service.occupyWorker()
        let half = try service.client()
        let body = #"{"x": [3, 1, 2], "k": 1}"#
        let head = "POST /topk HTTP/1.1\r\nHost: t\r\nContent-Length: \(body.utf8.count)\r\n"
        half.send(head + Self.json + "\r\n" + body)
        half.finishSending()
        let gone = try service.client()
        gone.send(head + Self.json + "\r\n" + body)
        usleep(50_000)
        gone.reset()
        #expect(try half.readResponse().status == 200)
        let observer = try service.client()
        var metrics = ""
        for _ in 0..<50 where !metrics.contains("topkd_cancelled_total{phase=\"queue\"} 1\n") {
            usleep(100_000)
            metrics = try observer.request("GET", "/metrics").text
        }
        #expect(metrics.contains("topkd_cancelled_total{phase=\"queue\"} 1\n"))
        withExtendedLifetime(busy) {}
    }
}
