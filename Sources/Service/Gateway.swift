import Codecs
import Inference
import Logging
import MicroHTTPD
import Operators

/// The HTTP side of the service: decides by the header, keeps the body, and hands complete requests
/// to the workers. Runs on epoll threads, so it does nothing that takes long.
final class Gateway: Responder {
    private let state: ServiceState
    private let pages: Pages
    /// Whether only health and metrics are answered here, and without a token.
    private let isForProbes: Bool

    init(_ state: ServiceState, _ pages: Pages, isForProbes: Bool = false) {
        self.state = state
        self.pages = pages
        self.isForProbes = isForProbes
    }

    func begin(_ exchange: Exchange, fault: HeaderFault?) -> BodyPlan {
        let record = RequestRecord(
            state, requestID: state.requestID(exchange.header(.requestID)),
            traceID: RequestRecord.traceID(exchange.header(.traceparent)))
        exchange.attachment = record
        if let fault { return .refuse(state.refuse(Problem(.fault(fault)), record)) }
        let target = RequestTarget.cached(exchange.target)
        do throws(HeaderRefusal) {
            record.target = target
            try authorize(exchange, target.route)
            guard let route = target.route, !isForProbes || route.endpoint.isForProbes else {
                let known = Route.all.filter { !isForProbes || $0.endpoint.isForProbes }
                throw .notFound(path: target.path, known: known.map { $0.path })
            }
            guard route.allow.contains(exchange.method) else {
                throw .methodNotAllowed(method: exchange.method, allow: route.allow)
            }
            let length = exchange.framing.contentLength ?? 0
            guard length <= state.limits.bodyBytesMax else {
                throw .bodyTooLarge(byteCount: length, limit: state.limits.bodyBytesMax)
            }
            guard case .compute(let direction) = route.endpoint else {
                return exchange.framing.isChunked
                    ? .refuse(state.refuse(Problem(.lengthRequired), record)) : .ignore
            }
            return try beginUpload(exchange, record, direction, target)
        } catch {
            return refuse(exchange, record, Problem(error))
        }
    }

    private func authorize(_ exchange: Exchange, _ route: Route?) throws(HeaderRefusal) {
        let isPublic = isForProbes || route?.endpoint.isPublic ?? false
        if isPublic || state.tokens.isEmpty { return }
        guard let header = exchange.header(.authorization) else {
            throw .unauthorized(isMissing: true)
        }
        guard state.tokens.accept(header) else { throw .unauthorized(isMissing: false) }
    }

    /// When the answer is of no more use: the client's word, or ours.
    private func deadline(
        _ exchange: Exchange, _ record: RequestRecord
    ) throws(HeaderRefusal) -> Int {
        var milliseconds = state.limits.requestTimeoutSeconds * 1000
        if let text = exchange.header(.timeout) {
            guard text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let asked = Int(text),
                (1...Limits.clientTimeoutMillisecondsMax).contains(asked)
            else { throw .invalidTimeout(found: text) }
            milliseconds = min(milliseconds, asked)
        }
        return record.startedNanoseconds + milliseconds * 1_000_000
    }

    private func coding(_ exchange: Exchange) throws(HeaderRefusal) -> ContentCoding? {
        // An empty list of codings is none (RFC 9110 8.4).
        guard let name = exchange.header(.contentEncoding)?.lowercased(), !name.isEmpty,
            name != "identity"
        else { return nil }
        guard let coding = ContentCoding(rawValue: name == "x-gzip" ? "gzip" : name) else {
            throw .unsupportedContentEncoding(found: name)
        }
        return coding
    }

    private func requestCodec(_ exchange: Exchange) throws(HeaderRefusal) -> any Codec.Type {
        // As most write it; the long way took a thirtieth of a small request's time.
        for codec in CodecRegistry.all where exchange.header(.contentType, equals: codec.mediaType)
        {
            return codec
        }
        return try Negotiation.requestCodec(exchange.header(.contentType))
    }

    /// Chooses codecs, takes memory for the body.
    private func beginUpload(
        _ exchange: Exchange, _ record: RequestRecord, _ direction: Direction,
        _ target: RequestTarget
    ) throws(HeaderRefusal) -> BodyPlan {
        guard let length = exchange.framing.contentLength else { throw .lengthRequired }
        let coding = try coding(exchange)
        let deadline = try deadline(exchange, record)
        let requestCodec = try requestCodec(exchange)
        let answerCodec = try Negotiation.answerCodec(
            exchange.header(.accept), mirroring: requestCodec)
        record.codecs =
            requestCodec.name == answerCodec.name
            ? requestCodec.name : "\(requestCodec.name)>\(answerCodec.name)"
        try state.checkBudget(byteCount: length, requestCodec)
        do throws(ServiceError) {
            let upload = try state.upload(
                direction, target, byteCount: length, requestCodec, coding)
            let body = upload.message.body
            let arrival = upload.message.arrival
            record.upload = consume upload
            record.answerCodec = answerCodec
            record.deadlineNanoseconds = deadline
            return .store(
                UnsafeMutableRawBufferPointer(start: body.memory, count: length), owner: body,
                deadlineNanoseconds: deadline,
                arrived: arrival.map { arrival in { arrival.arrived(byteCount: $0) } })
        } catch {
            return refuse(exchange, record, Problem(error))
        }
    }

    /// Reads a small body away to keep the connection; closes it where that is not worth it, or
    /// where the client waits for our word before it sends one.
    private func refuse(_ exchange: Exchange, _ record: RequestRecord, _ problem: Problem)
        -> BodyPlan
    {
        let reply = state.refuse(problem, record)
        let isSmall = (exchange.framing.contentLength ?? 0) <= Limits.discardBytesMax
        let isWaiting = exchange.hasHeader(.expect)
        return isSmall && !isWaiting && !exchange.framing.isChunked
            ? .discard(then: reply) : .refuse(reply)
    }

    var closesConnections: Bool { state.isDraining }

    func respond(_ exchange: Exchange) -> Answer {
        guard let record = exchange.attachment as? RequestRecord else {
            preconditionFailure("respond follows begin")
        }
        guard let isPlain = record.bodyIsComplete(byteCount: exchange.bodyCount) else {
            return .now(page(record))
        }
        // A compressed body may be long for all we know.
        if exchange.bodyCount <= Limits.inlineBodyBytesMax && isPlain && state.runHere(record),
            let reply = record.reply.take()
        {
            return .now(reply)
        }
        do throws(ServiceError) {
            let slot = try state.workers.reserve()
            record.exchange = exchange
            return .later { slot.submit(record) }
        } catch {
            return .now(state.refuse(Problem(error), record))
        }
    }

    private func page(_ record: RequestRecord) -> Reply {
        guard let endpoint = record.route?.endpoint else {
            preconditionFailure("what nobody answers has been refused")
        }
        if endpoint == .ready && state.isDraining {
            return state.refuse(Problem(ServiceError.draining), record)
        }
        let reply = pages.reply(endpoint)
        record.answerBytes = reply.byteCount
        reply.add("X-Request-Id", record.requestID)
        return reply
    }

    func finished(_ exchange: Exchange, _ end: ExchangeEnd) {
        let record = exchange.attachment as? RequestRecord
        if let answer = record?.answer.take() { state.keep(answer) }
        var cancelledPhase: String?
        if record?.wasAbandoned == true {
            cancelledPhase = "queue"
        } else if end != .answered {
            cancelledPhase = exchange.repliedStatus == nil ? "receive" : "send"
            state.metrics.cancelled.add(1, cancelledPhase ?? "")
        }
        log(exchange, record, cancelledPhase)
        if cancelledPhase == "queue" { return }
        guard let status = exchange.repliedStatus else { return }
        state.countAnswer(record?.route, method: method(exchange), status: status)
    }

    /// For labels and logs: a client may call its method anything.
    private func method(_ exchange: Exchange) -> String {
        ServiceMetrics.methods.contains(exchange.method) ? exchange.method : "other"
    }

    private func log(_ exchange: Exchange, _ record: RequestRecord?, _ cancelledPhase: String?) {
        let status = cancelledPhase == "queue" ? nil : exchange.repliedStatus
        guard let record,
            state.accessLog.wants(status: status, isCancelled: cancelledPhase != nil)
        else { return }
        record.bodyBytes = exchange.bodyCount
        state.logger.info(
            "request",
            metadata: record.metadata(
                method: method(exchange), status: status, cancelledPhase: cancelledPhase))
    }

    func connectionOpened() { state.metrics.connectionsOpen.add(1) }

    func connectionClosed(_ reason: ConnectionEnd) {
        state.metrics.connectionsOpen.add(-1)
        state.metrics.connectionsClosed.add(1, reason.rawValue)
    }

    func log(_ message: String) {
        // One for each malformed request and each disconnect: not for everyone's log.
        state.logger.debug(
            "libmicrohttpd: \(message.split(separator: "\n").joined(separator: " "))")
    }
}
