import CMicroHTTPD
import Fixtures
import Glibc
import Platform
import Testing

@testable import MicroHTTPD

/// Catches errors at the border of C: lifetimes, suspend and resume, keep-alive, what the library
/// lets through. A server of its own with another responder: MicroHTTPD must not need topkd.
@Suite struct DaemonTests {
    /// Answers with the body's length, from another thread when the path says so.
    private final class Lengths: Responder {
        let events = Lock<[String]>([])

        func begin(_ exchange: Exchange, fault: HeaderFault?) -> BodyPlan {
            if let fault { return .refuse(text(400, "\(fault)")) }
            if exchange.target.text == "/discard" {
                return .discard(then: text(418, "read and forgotten"))
            }
            guard let length = exchange.framing.contentLength else { return .ignore }
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(length, 1), alignment: 1)
            return .store(
                UnsafeMutableRawBufferPointer(start: memory.baseAddress, count: length),
                owner: Memory(memory), deadlineNanoseconds: .max, arrived: nil)
        }

        func respond(_ exchange: Exchange) -> Answer {
            let reply = text(200, "\(exchange.method) \(exchange.bodyCount)")
            if exchange.target.text == "/thread" { return .now(text(200, "\(pthread_self())")) }
            guard exchange.target.text == "/later" else { return .now(reply) }
            return .later {
                _ = Thread { exchange.complete(reply) }
            }
        }

        func finished(_ exchange: Exchange, _ end: ExchangeEnd) {
            events.withLock { $0.append("\(end)") }
        }

        var closesConnections: Bool { false }
        func connectionOpened() { events.withLock { $0.append("opened") } }
        func connectionClosed(_ reason: ConnectionEnd) {
            events.withLock { $0.append("closed \(reason.rawValue)") }
        }
        func log(_ message: String) { events.withLock { $0.append("logged") } }

        private func text(_ status: Int, _ text: String) -> Reply {
            Reply(status: status, contentType: "text/plain", text: text)
        }

        private final class Memory {
            let memory: UnsafeMutableRawBufferPointer
            init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }
            deinit { memory.deallocate() }
        }
    }

    /// - Parameter early: clients who are in the backlog before the server begins.
    private func withServer(
        connectionsMax: Int = 100, early: Int = 0, _ body: (Int, Lengths) throws -> Void
    ) throws {
        try withServer(connectionsMax: connectionsMax, early: early) { port, responder, _ in
            try body(port, responder)
        }
    }

    private func withServer(
        connectionsMax: Int, early: Int, busyPollMicroseconds: Int = 0,
        _ body: (Int, Lengths, [HTTPClient]) throws -> Void
    ) throws {
        let responder = Lengths()
        let socket = try ListeningSocket.tcp(host: "127.0.0.1", port: 0)
        let port = try #require(socket.url.split(separator: ":").last.flatMap { Int($0) })
        let clients = try (0..<early).map { _ in try HTTPClient(port: port) }
        var options = DaemonOptions(
            threadCount: 2, connectionsMax: connectionsMax, connectionTimeoutSeconds: 30,
            deadlines: ConnectionDeadlines(
                headerSeconds: 30, idleSeconds: 30, bodySeconds: 30, stallBytes: 1,
                stallSeconds: 30))
        options.busyPollMicroseconds = busyPollMicroseconds
        let daemon = try Daemon(takingOwnershipOf: socket, options, responder)
        defer { daemon.stop() }
        try body(port, responder, clients)
    }

    // Catches: the thread that wakes up first takes all who came at once, and the other has none.
    @Test("clients who come at once are dealt out to the threads")
    func dealing() throws {
        try withServer(connectionsMax: 100, early: 8) { _, _, clients in
            let threads = try clients.map { try $0.request("GET", "/thread").text }
            #expect(Set(threads).count == 2)
        }
    }

    // Catches: one too many let in, one refused instead of kept waiting, a place that is not freed.
    @Test("beyond the limit clients wait in the backlog until a place is free")
    func limit() throws {
        try withServer(connectionsMax: 2) { port, _ in
            for _ in 0..<20 {
                var inside = try (0..<2).map { _ in try HTTPClient(port: port) }
                for client in inside { #expect(try client.request("GET", "/now").status == 200) }
                let waiting = try HTTPClient(port: port)
                waiting.send("GET /now HTTP/1.1\r\nHost: t\r\n\r\n")
                #expect(!waiting.hasAnswer(withinMilliseconds: 20))
                inside.removeFirst()
                #expect(try waiting.readResponse().status == 200)
            }
        }
    }

    // Catches: waits of the library that no longer come by our epoll_wait.
    @Test("a thread that expects more finds it without having to be woken")
    func busyPoll() throws {
        try withServer(connectionsMax: 1, early: 0, busyPollMicroseconds: 50_000) { port, _, _ in
            let client = try HTTPClient(port: port)
            let before = CMicroHTTPD_busy_poll_hits()
            for _ in 0..<1000 where CMicroHTTPD_busy_poll_hits() == before {
                #expect(try client.request("GET", "/now").status == 200)
            }
            #expect(CMicroHTTPD_busy_poll_hits() > before)
        }
    }

    // Catches: a thread that its clients keep busy, and the processor with it.
    @Test("a thread that never sleeps offers its processor")
    func yields() throws {
        try withServer { port, _ in
            let client = try HTTPClient(port: port)
            let before = CMicroHTTPD_yields()
            let count = 500
            client.send(String(repeating: "GET /now HTTP/1.1\r\nHost: t\r\n\r\n", count: count))
            for _ in 0..<count { #expect(try client.readResponse().status == 200) }
            #expect(CMicroHTTPD_yields() > before)
        }
    }

    @Test("bodies of every size arrive whole, answered now or from another thread")
    func bodies() throws {
        try withServer { port, _ in
            let client = try HTTPClient(port: port)
            for count in [0, 1, 100, 65_536, 1_000_003] {
                for target in ["/now", "/later"] {
                    let body = [UInt8](repeating: 7, count: count)
                    let response = try client.request("POST", target, body: body)
                    #expect(response.status == 200 && response.text == "POST \(count)")
                }
            }
        }
    }

    @Test("a refused body that is read away leaves the connection usable")
    func discard() throws {
        try withServer { port, _ in
            let client = try HTTPClient(port: port)
            let body = [UInt8](repeating: 7, count: 100_000)
            #expect(try client.request("POST", "/discard", body: body).status == 418)
            #expect(try client.request("POST", "/now", body: body).text == "POST 100000")
            #expect(try client.request("GET", "/now").status == 200)
        }
    }

    @Test("two requests in one packet are two answers")
    func pipelining() throws {
        try withServer { port, _ in
            let client = try HTTPClient(port: port)
            let request = "POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc"
            client.send(request + request)
            #expect(try client.readResponse().text == "POST 3")
            #expect(try client.readResponse().text == "POST 3")
        }
    }

    @Test(
        "what the library lets through is refused, and the connection closed",
        arguments: [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length : 3\r\n",
            "Host: other\r\nContent-Length: 3\r\n",
            "Transfer-Encoding: gzip\r\n",
        ])
    func smuggling(_ headers: String) throws {
        try withServer { port, responder in
            let client = try HTTPClient(port: port)
            client.send(
                "POST /now HTTP/1.1\r\nHost: t\r\n\(headers)\r\n"
                    + "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n"
            )
            #expect(try client.readResponse().status == 400)
            #expect(client.isClosedByServer())
            let answered = responder.events.withLock { $0.filter { $0 == "answered" }.count }
            #expect(answered <= 1, "no second request ran")
        }
    }

    @Test("each daemon logs to its own responder")
    func logs() throws {
        try withServer { port, responder in
            // A second one that is gone: its log must not be where the first one's lines go.
            try withServer { _, _ in }
            let client = try HTTPClient(port: port)
            client.send(
                "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 200_000))\r\n\r\n")
            _ = try? client.readResponse()
            for _ in 0..<500 {
                if responder.events.withLock({ $0.contains("logged") }) { break }
                usleep(10_000)
            }
            #expect(responder.events.withLock { $0.contains("logged") })
        }
    }

    @Test("an escaped NUL in the target is refused")
    func escapedNul() throws {
        try withServer { port, _ in
            let client = try HTTPClient(port: port)
            #expect(try client.request("GET", "/now%00/later").text == "invalidTarget")
        }
    }

    @Test("connections are announced, and their end has a reason")
    func connections() throws {
        try withServer { port, responder in
            do {
                let client = try HTTPClient(port: port)
                _ = try client.request("GET", "/now")
            }
            for _ in 0..<500 {
                if responder.events.withLock({ $0.count == 3 }) { break }
                usleep(10_000)
            }
            #expect(responder.events.withLock { $0 } == ["opened", "answered", "closed normal"])
        }
    }
}
