import Encodings
import Execution
import MicroHTTPD
import Operators
import Platform
import Protocols

/// One request, from its header to its line in the log; to the scheduler, a call.
///
/// Used by the connection's thread, then by the thread that computes, then by the connection's
/// again: each hands it on through a lock. What others read meanwhile (`peer`, `departure`,
/// the deadline) does not change any more, or belongs to the connection.
final class Request: @unchecked Sendable {
    let service: ServiceState
    let startedNanoseconds = MonotonicClock.now()
    let id: String
    /// Of the client's traceparent.
    let traceID: String
    let connection: Connection
    private(set) var peer: Peer
    private(set) var deadlineNanoseconds = Int.max
    /// Whose errors it is answered with.
    private var owner: any ServiceProtocol
    private var life = Life.arrived
    /// What the log will say of it.
    private(set) var receipt = Receipt()

    /// What it has, and only while it has it.
    private enum Life {
        /// The header is here: a page, or a refusal.
        case arrived
        /// The body comes in.
        case receiving(Reception)
        /// The body has been read; the numbers belong to the scheduler's job.
        case running(any Dialogue)
        case answered(Reply)
        case done
    }

    /// Where the answer goes when it is made.
    private var delivery = Delivery.toCaller

    private enum Delivery {
        /// To whoever called the scheduler, on the connection's own thread.
        case toCaller
        /// To a connection that waits for it.
        case toConnection(Exchange)
    }

    init(_ service: ServiceState, _ exchange: Exchange) {
        self.service = service
        owner = service.doors.fallback
        connection = exchange.connection
        peer = Peer(exchange.connection.peer)
        id = service.requestID(exchange.header(.requestID))
        traceID = Self.traceID(exchange.header(.traceparent))
    }

    /// The trace id of a W3C traceparent: 00-<32 hex digits>-<16>-<2>; empty of anything else.
    private static func traceID(_ header: String?) -> String {
        guard let parts = header?.split(separator: "-", omittingEmptySubsequences: false),
            parts.count >= 4, parts[0].utf8.count == 2, parts[1].utf8.count == 32,
            parts[2].utf8.count == 16, parts[1].contains(where: { $0 != "0" }),
            parts[1].utf8.allSatisfy({ ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) })
        else { return "" }
        return String(parts[1])
    }

    /// It was sent with a known token: whoever has it takes turns as one.
    func identify(by token: Int) { peer = Peer(UInt64(truncatingIfNeeded: token)) }

    /// Its target is known.
    func isFor(_ target: RequestTarget) {
        guard let route = target.route else { return }
        receipt.route = route.pattern
        owner = route.owner
    }

    /// The header is accepted, and the body comes in.
    func receive(_ reception: Reception, deadlineNanoseconds: Int) {
        receipt.encodings = reception.dialogue.label
        self.deadlineNanoseconds = deadlineNanoseconds
        life = .receiving(reception)
    }

    /// The body is complete: how it came, or nil if there is none to be computed.
    func received(byteCount: Int) -> Reception? {
        receipt.bodyBytes = byteCount
        guard case .receiving(let reception) = life else { return nil }
        reception.body.count = byteCount
        return reception
    }

    /// The connection waits for `deliver` from here on.
    func awaited(by exchange: Exchange) { delivery = .toConnection(exchange) }

    /// The answer of a call that was computed on the connection's thread.
    func takeReply() -> Reply {
        guard case .answered(let reply) = life else {
            preconditionFailure("a call that is done has its answer")
        }
        life = .done
        return reply
    }

    /// Counts and words a refusal. What the request has is let go at once: sending may take long.
    func refuse(_ problem: Problem) -> Reply {
        life = .done
        receipt.outcome = .refused(problem.code)
        return answer(problem)
    }

    private func answer(_ problem: Problem) -> Reply {
        service.countRefusal(problem, requestID: id)
        let reply = owner.reply(problem, requestID: id)
        reply.add("X-Request-Id", id)
        receipt.answerBytes = reply.byteCount
        return reply
    }

    /// A page is the answer.
    func answer(with page: Reply) -> Reply {
        page.add("X-Request-Id", id)
        receipt.answerBytes = page.byteCount
        return page
    }
}

extension Request: Call {
    var departure: Departure {
        switch connection.departure {
        case .none: .none
        case .halfClosed: .halfClosed
        case .gone: .gone
        }
    }

    func decode(_ worker: Worker) throws(ServiceError) -> Invocation {
        guard case .receiving(let reception) = life else {
            preconditionFailure("a call is decoded once, before it is answered")
        }
        let invocation = try reception.read(
            &worker.encodingScratch, service, deadlineNanoseconds: deadlineNanoseconds)
        // From here on the invocation alone has the body's memory.
        life = .running(reception.dialogue)
        return invocation
    }

    func succeed(_ result: borrowing InvocationResult, _ timings: Timings) throws(ServiceError) {
        guard case .running(let dialogue) = life else {
            preconditionFailure("a call succeeds after it has been decoded")
        }
        var timings = timings
        let body = try dialogue.encode(result, service.buffers)
        timings.end(.encode)
        timings[.total] = timings.lastNanoseconds - startedNanoseconds
        service.count(result, timings)
        let nonzeroCount = result.nonzeroCount
        receipt.outcome = .computed(Receipt.Computed(result.form), timings, nonzeroCount)
        let reply = Reply(status: 200, body: body.bytes, owner: body)
        dialogue.addHeaders(of: result) { name, value in reply.add(name, value) }
        reply.add("X-Request-Id", id)
        finish(reply, timings)
    }

    func fail(_ error: ServiceError, _ form: InvocationForm?, _ timings: Timings) {
        var timings = timings
        timings[.total] = MonotonicClock.now() - startedNanoseconds
        let problem = Problem(error)
        if let form {
            service.metrics.record(timings, form)
            receipt.outcome = .failed(problem.code, Receipt.Computed(form), timings)
        } else {
            receipt.outcome = .undecoded(problem.code, timings)
        }
        finish(answer(problem), timings)
    }

    func abandon(_ stage: Stage, _ timings: Timings) {
        // The library needs a reply to end the request; who has only half-closed can read it.
        let problem = Problem(
            .clientGone,
            "the client closed its end of the connection before the answer was computed")
        service.metrics.cancelled.add(1, stage.rawValue)
        life = .answered(answer(problem))
        receipt.outcome = .abandoned(stage)
    }

    private func finish(_ reply: Reply, _ timings: Timings) {
        timings.withServerTiming { reply.add("Server-Timing", $0) }
        receipt.answerBytes = reply.byteCount
        life = .answered(reply)
    }

    func deliver() {
        guard case .toConnection(let exchange) = delivery else { return }
        delivery = .toCaller
        exchange.complete(takeReply())
    }
}
