import Fixtures
import Foundation
import Synchronization
import Testing

/// Runs cases against one service for all tables: what one case spoils, the next one finds.
enum Attack {
    /// A small limit, so that crossing it is cheap; memory for all tables at once.
    private static let service = Result {
        try LiveService {
            $0.limits.bodyBytesMax = 1 << 22
            $0.limits.inflightBytesMax = 1 << 28
        }
    }

    static func port() throws -> Int { try service.get().port }

    /// A request whose answer is known to the byte.
    struct Good {
        let bytes: [UInt8]
        let answer: [UInt8]

        /// `closing`: the service closes after it, so that the end of its answers is seen.
        static func json(closing: Bool = true) -> Good {
            let answer =
                #"{"operator":"mask","format":"csr","shape":[3],"dtype":"float32","#
                + #""indptr":[0,1],"indices":[0],"data":[1]}"# + "\n"
            let request = Text.json(Text.body, headers: closing ? "Connection: close\r\n" : "")
            return Good(bytes: HostileCase.latin1(request), answer: Array(answer.utf8))
        }

        static func octets() -> Good {
            let head =
                "POST /topk?n=3&k=1&format=dense HTTP/1.1\r\nConnection: close\r\n" + Text.host
                + Text.octets + "Content-Length: 12\r\n\r\n"
            return Good(
                bytes: HostileCase.latin1(head) + Wire.bytes([3, 1, 2], .float32),
                answer: Wire.bytes([1, 0, 0], .float32))
        }
    }

    private static let turn = Atomic<Int>(0)

    /// JSON and raw numbers by turns.
    static func nextGood() -> Good {
        turn.add(1, ordering: .relaxed).newValue % 2 == 0 ? .json() : .octets()
    }

    /// A good request on a new connection has its known answer, and nothing else comes.
    static func expectGoodAnswer(port: Int, _ location: SourceLocation = #_sourceLocation) throws {
        let good = nextGood()
        let socket = try RawSocket(port: port)
        socket.send(good.bytes)
        let stop = socket.read(5000)
        let (answers, _, rest) = RawAnswer.parse(socket.received)
        #expect(stop == .closed, "it asked for a close", sourceLocation: location)
        #expect(answers.map { $0.status } == [200] && rest.isEmpty, sourceLocation: location)
        #expect(answers.first?.body == good.answer, sourceLocation: location)
    }

    /// Sends the case, checks what comes back, and that the service is as it was.
    ///
    /// - Parameter packetBytes: sends packets of this size, if the connection closes then.
    static func run(_ hostile: HostileCase, packetBytes: Int = .max) throws {
        let port = try port()
        switch hostile.end {
        case .keeps, .either:
            try runKept(hostile, port: port, isPipelined: false)
            try runKept(hostile, port: port, isPipelined: true)
        case .closes, .closesAfterTwoHeads: try runClosed(hostile, port, packetBytes)
        case .waits: try runWaiting(hostile, port: port)
        }
        try expectGoodAnswer(port: port)
    }

    /// The case, then a good request on the same connection, in the same packet or after the
    /// answers.
    private static func runKept(_ hostile: HostileCase, port: Int, isPipelined: Bool) throws {
        let socket = try RawSocket(port: port)
        let good = nextGood()
        if isPipelined {
            socket.send(hostile.bytes + good.bytes)
        } else {
            socket.send(hostile.bytes)
            let stop = socket.read(2000) {
                RawAnswer.parse($0, heads: hostile.heads).answers.count >= hostile.answers.count
            }
            let isFine = stop == .enough || (stop == .closed && hostile.end == .either)
            #expect(isFine, "\(stop) before \(hostile.answers.count) answers")
            if stop == .timeout { return }
            socket.send(good.bytes)
        }
        let stop = socket.read(2000)
        #expect(stop == .closed, "the good request asked for a close")
        var (answers, interims, rest) = RawAnswer.parse(socket.received, heads: hostile.heads)
        let left = String(decoding: rest.prefix(80), as: UTF8.self)
        #expect(left.isEmpty, "left over")
        #expect(interims == 0 || hostile.mayContinue, "100 Continue, unasked")
        if hostile.end == .keeps || answers.count > hostile.answers.count {
            let last = answers.popLast()
            #expect(last?.status == 200, "the same connection answers: \(last?.text ?? "")")
            #expect((last?.body == good.answer) as Bool, "the same connection answers as ever")
        }
        check(answers, hostile)
    }

    private static func runClosed(
        _ hostile: HostileCase, _ port: Int, _ packetBytes: Int
    ) throws {
        let socket = try RawSocket(port: port)
        socket.send(hostile.bytes, packetBytes: packetBytes)
        let stop = socket.read(2000)
        #expect(stop == .closed, "the connection must be closed")
        let bytes =
            hostile.end == .closesAfterTwoHeads
            ? RawAnswer.withoutRepeatedHead(socket.received) : socket.received
        expectOnly(bytes, hostile)
    }

    private static func expectOnly(_ bytes: [UInt8], _ hostile: HostileCase) {
        let (answers, interims, rest) = RawAnswer.parse(bytes, heads: hostile.heads)
        let left = String(decoding: rest.prefix(80), as: UTF8.self)
        #expect(left.isEmpty, "left over")
        #expect(interims == 0 || hostile.mayContinue, "100 Continue, unasked")
        check(answers, hostile)
    }

    private static func runWaiting(_ hostile: HostileCase, port: Int) throws {
        let socket = try RawSocket(port: port)
        socket.send(hostile.bytes)
        let stop = socket.read(100)
        #expect(stop == .timeout && socket.received.isEmpty, "it must wait for more")
        socket.leave()
    }

    /// Number, statuses and form of the answers.
    static func check(_ answers: [RawAnswer], _ hostile: HostileCase) {
        let statuses = answers.map { $0.status }
        if statuses.isEmpty && hostile.answers.last?.contains(HostileCase.nothing) == true {
            return
        }
        #expect(
            statuses.count == hostile.answers.count,
            "\(statuses): a request that was not one, or none where one was")
        for (answer, allowed) in zip(answers, hostile.answers) {
            #expect(
                allowed.contains(answer.status), "\(answer.status), not \(allowed): \(answer.text)")
            let isProblem = answer.headers["content-type"] == "application/problem+json"
            if isProblem && !answer.body.isEmpty {
                checkProblem(answer)
            }
        }
        if let code = hostile.code, let last = answers.last {
            #expect(last.text.contains("\"code\":\"\(code)\""), "\(last.text)")
        }
    }

    /// A problem says what is wrong in words, and agrees with its own header.
    private static func checkProblem(_ answer: RawAnswer) {
        let problem =
            (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [String: Any]
        #expect(problem?["status"] as? Int == answer.status, "\(answer.text)")
        #expect(problem?["request_id"] as? String == answer.headers["x-request-id"])
        let detail = problem?["detail"] as? String ?? ""
        #expect(detail.count > 10 && detail.utf8.count <= 1003, "\(answer.text)")
    }
}
