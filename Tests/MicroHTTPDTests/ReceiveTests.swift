import CMicroHTTPD
import Fixtures
import Glibc
import Platform
import Testing

@testable import MicroHTTPD

/// Large bodies are received past the library (receive.c): catches bytes that land in the wrong
/// place, that are lost or taken from the next request, and memory that is written to too late.
@Suite struct ReceiveTests {
    /// Answers with a checksum of the body, in which every byte's place counts.
    private final class Checksums: Responder {
        final class Memory {
            let bytes: UnsafeMutableRawBufferPointer
            init(byteCount: Int) {
                bytes = .allocate(byteCount: byteCount, alignment: 64)
                bytes.initializeMemory(as: UInt8.self, repeating: 0xAA)
            }
            deinit { bytes.deallocate() }
        }

        func begin(_ exchange: Exchange, fault: HeaderFault?) -> BodyPlan {
            guard let length = exchange.framing.contentLength, fault == nil else { return .ignore }
            // A place behind the body, to see that nothing is written there.
            let memory = Memory(byteCount: length + 64)
            exchange.attachment = memory
            return .store(
                UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<length]), owner: memory,
                deadlineNanoseconds: .max, arrived: nil)
        }

        func respond(_ exchange: Exchange) -> Answer {
            guard let memory = exchange.attachment as? Memory else {
                return .now(Reply(status: 200, contentType: "text/plain", text: "no body"))
            }
            let isWhole = memory.bytes[exchange.bodyCount...].allSatisfy { $0 == 0xAA }
            let sum = ReceiveTests.checksum(memory.bytes[..<exchange.bodyCount])
            let text = isWhole ? "\(sum)" : "written behind the body"
            return .now(Reply(status: 200, contentType: "text/plain", text: text))
        }

        func finished(_ exchange: Exchange, _ end: ExchangeEnd) {}
        var closesConnections: Bool { false }
        func connectionOpened() {}
        func connectionClosed(_ reason: ConnectionEnd) {}
        func log(_ message: String) {}
    }

    private static func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }

    private static func bytes(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    private static func request(_ body: [UInt8]) -> [UInt8] {
        Array("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    private func withServer(_ body: (Int) throws -> Void) throws {
        let socket = try ListeningSocket.tcp(host: "127.0.0.1", port: 0)
        let port = try #require(socket.url.split(separator: ":").last.flatMap { Int($0) })
        let options = DaemonOptions(
            threadCount: 2, connectionsMax: 100, connectionTimeoutSeconds: 30,
            deadlines: ConnectionDeadlines(
                headerSeconds: 30, idleSeconds: 30, bodySeconds: 30, stallBytes: 1,
                stallSeconds: 30))
        let daemon = try Daemon(takingOwnershipOf: socket, options, Checksums())
        defer { daemon.stop() }
        try body(port)
    }

    // Catches: reads of the library that no longer come by our recv (all is copied again).
    @Test("a large body is received to where it stays")
    func direct() throws {
        try withServer { port in
            let client = try HTTPClient(port: port)
            let body = [UInt8](repeating: 7, count: 1 << 20)
            let before = CMicroHTTPD_bytes_received_directly()
            let answer = try client.request("POST", "/", body: body)
            #expect(answer.text == "\(Self.checksum(body))")
            #expect(CMicroHTTPD_bytes_received_directly() - before > 900_000)
        }
    }

    // Catches: a body's last bytes, or the next request's first, that are lost or taken for the
    // other's, wherever the pieces end. A lost edge of epoll shows as a request without an answer.
    @Test("requests behind large bodies are answered, however the bytes are cut", arguments: 0..<8)
    func pipelined(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let sizes = [32_768, 40_000, 65_536, 131_072, 131_073, 200_000, 300_001, 1_000_003, 3, 0]
        try withServer { port in
            let client = try HTTPClient(port: port)
            let bodies = sizes.shuffled(using: &random).map { Self.bytes($0, &random) }
            let stream = bodies.flatMap { Self.request($0) + Self.request([1, 2, 3]) }
            _ = Thread {
                var random = SplitMix64(seed: seed)
                var start = 0
                while start < stream.count {
                    let most = [7, 1_000, 60_000, 400_000][Int(random.next() % 4)]
                    let end = min(stream.count, start + 1 + Int(random.next() % UInt64(most)))
                    client.send(Array(stream[start..<end]))
                    if random.next() % 4 == 0 { usleep(200) }
                    start = end
                }
            }
            for body in bodies {
                #expect(try client.readResponse().text == "\(Self.checksum(body))")
                #expect(try client.readResponse().text == "\(Self.checksum([1, 2, 3]))")
            }
        }
    }

    // Catches: a socket that still writes to the body of the client who had its number before.
    @Test("who leaves in the middle of a body leaves nothing to the next client")
    func departures() throws {
        var random = SplitMix64(seed: 1)
        let body = Self.bytes(500_000, &random)
        try withServer { port in
            for sent in stride(from: 40_000, to: 500_000, by: 23_000) {
                do {
                    let client = try HTTPClient(port: port)
                    client.send(Array(Self.request(body)[..<sent]))
                    usleep(500)
                }
                let next = try HTTPClient(port: port)
                let answer = try next.request("POST", "/", body: body)
                #expect(answer.text == "\(Self.checksum(body))")
            }
        }
    }

    // Catches: memory that is given back while its socket may still be read.
    @Test("the server stops in the middle of a body")
    func stopped() throws {
        for _ in 0..<10 {
            var client: HTTPClient?
            try withServer { port in
                client = try HTTPClient(port: port)
                client?.send(Array(Self.request([UInt8](repeating: 7, count: 900_000))[..<600_000]))
                usleep(2000)
            }
            #expect(throws: HTTPClient.Failure.self) { try client?.readResponse() }
        }
    }
}
