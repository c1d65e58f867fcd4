import Fixtures
import Glibc
import Testing

/// Catches a client that leaves in the middle and takes with it the service, a thread, the memory
/// of its request, or another client's answer.
@Suite(.serialized) struct DepartureTests {
    @Test("clients that vanish", arguments: DepartureCase.vanishing)
    func vanish(_ departure: DepartureCase) throws { try Self.run(departure) }

    @Test("clients that have no more to send", arguments: DepartureCase.halfClosed)
    func halfClose(_ departure: DepartureCase) throws { try Self.run(departure) }

    @Test("clients that have no more to send, at once", arguments: DepartureCase.halfClosedAtOnce)
    func halfCloseAtOnce(_ departure: DepartureCase) throws {
        // That the connection then closes is in the table of what is known to be wrong.
        try Self.run(departure, mustClose: false)
    }

    @Test("clients that leave in the middle of their answer", arguments: [100, 100_000, 2_000_000])
    func answer(_ byteCount: Int) throws {
        for isReset in [false, true] {
            let socket = try RawSocket(port: Attack.port())
            socket.send(DepartureCase.largeRequest)
            let stop = socket.read(5000) { $0.count >= byteCount }
            #expect(stop == .enough)
            if isReset { socket.reset() } else { socket.leave() }
            try Attack.expectGoodAnswer(port: Attack.port())
        }
    }

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

    static func run(_ departure: DepartureCase, mustClose: Bool = true) throws {
        let port = try Attack.port()
        try leave(departure, port, mustClose: mustClose)
        try Attack.expectGoodAnswer(port: port)
    }

    private static func leave(
        _ departure: DepartureCase, _ port: Int, mustClose: Bool = true
    ) throws {
        let socket = try RawSocket(port: port)
        socket.send(departure.bytes)
        switch departure.exit {
        case .close:
            socket.leave()
        case .reset:
            // Time for the bytes to be read: an RST takes unread ones with it.
            usleep(2000)
            socket.reset()
        case .halfClose:
            // Time to read: the end must come as news of its own.
            usleep(20_000)
            socket.halfClose()
            expectAnswers(socket, departure, mustClose: mustClose)
        case .halfCloseAtOnce:
            socket.halfClose()
            expectAnswers(socket, departure, mustClose: mustClose)
        }
    }

    private static func expectAnswers(
        _ socket: RawSocket, _ departure: DepartureCase, mustClose: Bool
    ) {
        let allowed = departure.answers ?? []
        let stop = socket.read(2000) {
            !mustClose && RawAnswer.parse($0).answers.count >= allowed.count
        }
        #expect(stop == .closed || !mustClose, "\(stop): nothing can come any more")
        let (answers, _, rest) = RawAnswer.parse(socket.received)
        let statuses = answers.map { $0.status }
        #expect(statuses.count == allowed.count && rest.isEmpty, "\(statuses)")
        for (status, allowed) in zip(statuses, allowed) { #expect(allowed.contains(status)) }
    }
}
