import Fixtures
import Foundation
import Testing

/// Catches a client that leaves in the middle and takes with it the service, a thread, the memory
/// of its request, or another client's answer.
@Suite(.serialized) struct DepartureTests {
    @Test("clients that vanish", arguments: DepartureCase.vanishing)
    func vanish(_ departure: DepartureCase) throws { try Self.run(departure) }

    @Test("clients that have no more to send", arguments: DepartureCase.halfClosed)
    func halfClose(_ departure: DepartureCase) throws { try Self.run(departure) }

    @Test("memory and connections of all who vanished come back")
    func release() throws {
        // libmicrohttpd misses some of the closes under epoll; its timeout finds them.
        let service = try LiveService {
            $0.limits.connectionTimeoutSeconds = 1
            $0.limits.inflightBytesMax = 1 << 28
        }
        defer { service.stop() }
        for departure in DepartureCase.vanishing { try Self.leave(departure, service.port) }
        let observer = try service.client()
        var page = ""
        for _ in 0..<500 {
            page = try observer.request("GET", "/metrics").text
            if Self.isAtRest(page) { break }
            usleep(10_000)
        }
        #expect(Self.isAtRest(page), "\(page.split(separator: "\n").filter(Self.isLoad))")
    }

    private static func isAtRest(_ page: String) -> Bool {
        page.contains("\ntopkd_inflight_bytes 0.0\n")
            && page.contains("\ntopkd_connections_open 1.0\n")
            && page.contains("\ntopkd_queue_depth 0.0\n")
            && page.contains("\ntopkd_workers_busy 0.0\n")
    }

    private static func isLoad(_ line: Substring) -> Bool {
        ["inflight", "connections_open", "queue_depth", "workers_busy"].contains {
            line.hasPrefix("topkd_" + $0)
        }
    }

    static func run(_ departure: DepartureCase) throws {
        let port = try Attack.port()
        try leave(departure, port)
        try Attack.expectGoodAnswer(port: port)
    }

    private static func leave(_ departure: DepartureCase, _ port: Int) throws {
        let socket = try RawSocket(port: port)
        socket.send(departure.bytes)
        switch departure.exit {
        case .close: socket.leave()
        case .reset:
            // Time for the bytes to be read: an RST takes unread ones with it.
            usleep(2000)
            socket.reset()
        case .halfClose:
            socket.halfClose()
            let stop = socket.read(2000)
            #expect(stop == .closed, "nothing can come any more")
            let (answers, _, rest) = RawAnswer.parse(
                RawAnswer.withoutRepeatedHead(socket.received))
            let statuses = answers.map { $0.status }
            let allowed = departure.answers ?? []
            #expect(statuses.count == allowed.count && rest.isEmpty, "\(statuses)")
            for (status, allowed) in zip(statuses, allowed) { #expect(allowed.contains(status)) }
        }
    }
}
