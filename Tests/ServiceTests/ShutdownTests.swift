import Fixtures
import Foundation
import Synchronization
import Testing

/// Catches a shutdown that loses what was accepted.
@Suite struct ShutdownTests {
    @Test("stopping answers what was accepted")
    func orderlyStop() throws {
        let service = try LiveService { $0.limits.workers = 1 }
        let clients = try (0..<4).map { _ in try service.client() }
        for client in clients { client.sendSlowRequest() }
        let observer = try service.client()
        for _ in 0..<500 {
            let metrics = try observer.request("GET", "/metrics").text
            if metrics.contains("topkd_inflight_requests 4.0") { break }
            usleep(2_000)
        }
        service.stop()
        for client in clients { #expect(try client.readResponse().status == 200) }
    }

    @Test("busy keep-alive clients are told to close, and lose no request")
    func keepAlive() throws {
        let service = try LiveService()
        let lost = Atomic<Int>(0)
        let told = Atomic<Int>(0)
        let threads = try (0..<6).map { _ in
            let client = try service.client()
            let thread = Thread {
                while true {
                    guard let reply = try? client.post("/topk", json: #"{"x": [1], "k": 1}"#) else {
                        lost.add(1, ordering: .relaxed)
                        return
                    }
                    if reply.header("Connection")?.lowercased() == "close" {
                        told.add(1, ordering: .relaxed)
                        return
                    }
                }
            }
            thread.start()
            return thread
        }
        usleep(50_000)
        service.stop()
        for thread in threads { while !thread.isFinished { usleep(1000) } }
        #expect(lost.load(ordering: .relaxed) == 0 && told.load(ordering: .relaxed) == 6)
    }

    // Catches: a client who has connected, and sent its request, a moment before the end.
    @Test("who is in the backlog at the end is answered")
    func backlog() throws {
        for _ in 0..<20 {
            let service = try LiveService()
            let clients = try (0..<8).map { _ in try service.client() }
            for client in clients {
                client.send("GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
            }
            service.stop()
            for client in clients { #expect(try client.readResponse().status == 200) }
        }
    }

    @Test("a search that would take minutes ends with the drain deadline", .timeLimit(.minutes(1)))
    func longSearch() throws {
        let service = try LiveService { $0.limits.drainTimeoutSeconds = 1 }
        let client = try service.client()
        let row = "[" + [String](repeating: "1", count: 4000).joined(separator: ",") + "]"
        let rows = [String](repeating: row, count: 4).joined(separator: ",")
        let body = """
            {"x": [\(rows)], "k": 2000, "lambda": 10, "p": 2, "solver": "dykstra", "tolerance": 0, \
            "max_iterations": 100000}
            """
        client.send(
            "POST /topk HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + body)
        usleep(300_000)
        let started = Date()
        service.stop()
        #expect(Date().timeIntervalSince(started) < 10)
        try BadInputTests.check(client.readResponse(), 503, "draining", nil)
    }

    @Test("a slow reader gets its whole answer")
    func slowReader() throws {
        let service = try LiveService()
        let client = try service.client()
        let body = [UInt8](repeating: 0, count: 8_000_000)
        client.send(
            "POST /topk?n=1000&k=1&format=dense HTTP/1.1\r\nHost: t\r\n"
                + "Content-Type: application/octet-stream\r\nContent-Length: \(body.count)\r\n\r\n")
        client.send(body)
        let stopping = Thread { service.stop() }
        usleep(100_000)
        stopping.start()
        usleep(500_000)
        #expect(try client.readResponse().body.count == body.count)
        while !stopping.isFinished { usleep(1000) }
    }
}
