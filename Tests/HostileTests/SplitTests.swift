import Fixtures
import Glibc
import Testing

/// Catches a parser that depends on where packets end: the same bytes in any two packets are the
/// same request.
@Suite(.serialized) struct SplitTests {
    private static let request = Attack.Good.json()

    @Test("a good request cut at every byte", arguments: 1..<request.bytes.count)
    func cut(_ place: Int) throws {
        let socket = try RawSocket(port: Attack.port())
        socket.send(Array(Self.request.bytes[..<place]))
        // Time to be read apart from the rest; where it is not, the test is only weaker.
        usleep(300)
        socket.send(Array(Self.request.bytes[place...]))
        let stop = socket.read(2000)
        let (answers, _, rest) = RawAnswer.parse(socket.received)
        #expect(stop == .closed && rest.isEmpty)
        #expect(answers.map { $0.status } == [200])
        #expect(answers.first?.body == Self.request.answer)
    }

    @Test("a client that waits for 100 Continue gets one, and then its answer")
    func expectation() throws {
        let socket = try RawSocket(port: Attack.port())
        let head = Text.post(
            "Expect: 100-continue\r\nContent-Length: 19\r\nConnection: close\r\n", "")
        socket.send(HostileCase.latin1(head))
        let stop = socket.read(2000) { RawAnswer.parse($0).interims > 0 }
        #expect(stop == .enough && RawAnswer.parse(socket.received).answers.isEmpty)
        socket.send(HostileCase.latin1(Text.body))
        #expect(socket.read(2000) == .closed)
        let (answers, interims, _) = RawAnswer.parse(socket.received)
        #expect(interims == 1 && answers.map { $0.status } == [200])
        #expect(answers.first?.body == Attack.Good.json().answer)
    }

    @Test("ten clients at once in the middle of a request do not see each other")
    func interleaved() throws {
        let sockets = try (0..<10).map { _ in try RawSocket(port: Attack.port()) }
        let goods = sockets.map { _ in Attack.nextGood() }
        for (socket, good) in zip(sockets, goods) {
            socket.send(Array(good.bytes[..<(good.bytes.count - 5)]))
        }
        try Attack.expectGoodAnswer(port: Attack.port())
        for (socket, good) in zip(sockets, goods).reversed() {
            socket.send(Array(good.bytes[(good.bytes.count - 5)...]))
        }
        for (socket, good) in zip(sockets, goods) {
            #expect(socket.read(5000) == .closed)
            #expect(RawAnswer.parse(socket.received).answers.first?.body == good.answer)
        }
    }
}
