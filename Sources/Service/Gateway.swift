import Encodings
import Execution
import Logging
import MicroHTTPD
import Operators
import Protocols

/// The HTTP side of the service: decides by the header, keeps the body, and hands complete requests
/// to the scheduler. Runs on threads that serve connections, so it does nothing that takes long.
final class Gateway: Responder {
    private let service: ServiceState
    private let router: Router<Route>
    /// For those who ask for something else.
    private let paths: [String]
    /// Whether only health and metrics are answered here, and without a token.
    private let isForProbes: Bool

    init(_ service: ServiceState, _ routes: [Route], isForProbes: Bool = false) {
        self.service = service
        self.isForProbes = isForProbes
        let own = routes.filter { !isForProbes || $0.isForProbes }
        router = Router(own.map { ($0.pattern, $0) })
        paths = own.map { $0.pattern }
    }

    func begin(_ exchange: Exchange, fault: HeaderFault?) -> BodyPlan {
        let request = Request(service, exchange)
        exchange.attachment = request
        if let fault { return .refuse(request.refuse(Problem(.fault(fault)))) }
        let target = target(exchange)
        request.isFor(target)
        do throws(HeaderRefusal) {
            let route = try route(exchange, request, target)
            let length = exchange.framing.contentLength ?? 0
            guard length <= service.limits.bodyBytesMax else {
                throw .bodyTooLarge(byteCount: length, limit: service.limits.bodyBytesMax)
            }
            guard case .invoke(let invoker) = route.action else {
                return exchange.framing.isChunked
                    ? .refuse(request.refuse(Problem(.lengthRequired))) : .ignore
            }
            return try receive(exchange, request, invoker, target)
        } catch {
            return refuse(exchange, request, Problem(error))
        }
    }

    /// The target as it was taken apart when the connection had it first.
    private func target(_ exchange: Exchange) -> RequestTarget {
        if let known = exchange.target.attachment as? RequestTarget { return known }
        let target = RequestTarget(exchange.target.text, router)
        exchange.target.attachment = target
        return target
    }

    private func route(
        _ exchange: Exchange, _ request: Request, _ target: RequestTarget
    ) throws(HeaderRefusal) -> Route {
        let isPublic = isForProbes || target.route?.isPublic ?? false
        if !isPublic && !service.tokens.isEmpty {
            guard let header = exchange.header(.authorization) else {
                throw .unauthorized(isMissing: true)
            }
            guard let token = service.tokens.find(header) else {
                throw .unauthorized(isMissing: false)
            }
            request.identify(by: token)
        }
        guard let route = target.route else { throw .notFound(path: target.path, known: paths) }
        guard route.allow.contains(exchange.method) else {
            throw .methodNotAllowed(method: exchange.method, allow: route.allow)
        }
        return route
    }

    /// Chooses encodings, takes memory for the body.
    private func receive(
        _ exchange: Exchange, _ request: Request, _ invoker: any Invoker, _ target: RequestTarget
    ) throws(HeaderRefusal) -> BodyPlan {
        guard let length = exchange.framing.contentLength else { throw .lengthRequired }
        let coding = try coding(exchange)
        let deadline = try deadline(exchange, request)
        let dialogue = try invoker.admit(RequestHead(exchange, target))
        try service.checkBudget(byteCount: length, dialogue.encoding)
        do throws(ServiceError) {
            let reception = try Reception(
                target, dialogue, byteCount: length, coding, service.buffers)
            request.receive(reception, deadlineNanoseconds: deadline)
            let body = reception.body
            let observer = reception.observer
            return .store(
                UnsafeMutableRawBufferPointer(start: body.memory, count: length), owner: body,
                deadlineNanoseconds: deadline,
                arrived: observer.map { observer in { observer.arrived(byteCount: $0) } })
        } catch {
            return refuse(exchange, request, Problem(error))
        }
    }

    /// When the answer is of no more use: the client's word, or ours.
    private func deadline(
        _ exchange: Exchange, _ request: Request
    ) throws(HeaderRefusal) -> Int {
        var milliseconds = service.limits.requestTimeoutSeconds * 1000
        if let text = exchange.header(.timeout) {
            guard text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let asked = Int(text),
                (1...Limits.clientTimeoutMillisecondsMax).contains(asked)
            else { throw .invalidTimeout(found: text) }
            milliseconds = min(milliseconds, asked)
        }
        return request.startedNanoseconds + milliseconds * 1_000_000
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

    /// Reads a small body away to keep the connection; closes it where that is not worth it, or
    /// where the client waits for our word before it sends one.
    private func refuse(_ exchange: Exchange, _ request: Request, _ problem: Problem) -> BodyPlan {
        let reply = request.refuse(problem)
        let isSmall = (exchange.framing.contentLength ?? 0) <= Limits.discardBytesMax
        let isWaiting = exchange.hasHeader(.expect)
        return isSmall && !isWaiting && !exchange.framing.isChunked
            ? .discard(then: reply) : .refuse(reply)
    }

    var closesConnections: Bool { service.isDraining }

    func respond(_ exchange: Exchange) -> Answer {
        guard let request = exchange.attachment as? Request else {
            preconditionFailure("respond follows begin")
        }
        guard let reception = request.received(byteCount: exchange.bodyCount) else {
            return .now(page(exchange, request))
        }
        service.countRequest(reception.dialogue.encoding)
        // A compressed body may be long for all we know.
        let isSmall =
            exchange.bodyCount <= Limits.inlineBodyBytesMax && reception.coding == nil
        do throws(ServiceError) {
            guard let place = try service.scheduler.admit(request, isSmall: isSmall) else {
                return .now(request.takeReply())
            }
            request.awaited(by: exchange)
            return .later { place.submit() }
        } catch {
            return .now(request.refuse(Problem(error)))
        }
    }

    private func page(_ exchange: Exchange, _ request: Request) -> Reply {
        let target = target(exchange)
        guard case .page(let page) = target.route?.action else {
            preconditionFailure("what nobody answers has been refused")
        }
        do throws(Problem) {
            return request.answer(with: try page.reply(target.captures))
        } catch {
            return request.refuse(error)
        }
    }

    func finished(_ exchange: Exchange, _ end: ExchangeEnd) {
        guard let request = exchange.attachment as? Request else { return }
        let receipt = request.receipt
        var cancelledPhase = receipt.abandonedStage?.rawValue
        let isAbandoned = receipt.abandonedStage != nil
        if !isAbandoned && end != .answered {
            cancelledPhase = exchange.repliedStatus == nil ? "receive" : "send"
            service.metrics.cancelled.add(1, cancelledPhase ?? "")
        }
        let status = isAbandoned ? nil : exchange.repliedStatus
        if service.accessLog.wants(status: status, isCancelled: cancelledPhase != nil) {
            service.logger.info(
                "request",
                metadata: request.metadata(
                    method: method(exchange), status: status, cancelledPhase: cancelledPhase))
        }
        if let status {
            service.metrics.countAnswer(
                route: receipt.route, method: method(exchange), status: status)
        }
    }

    /// For labels and logs: a client may call its method anything.
    private func method(_ exchange: Exchange) -> String {
        ServiceMetrics.methods.contains(exchange.method) ? exchange.method : "other"
    }

    func connectionOpened() { service.metrics.connectionsOpen.add(1) }

    func connectionClosed(_ reason: ConnectionEnd) {
        service.metrics.connectionsOpen.add(-1)
        service.metrics.connectionsClosed.add(1, reason.rawValue)
    }

    func log(_ message: String) {
        // One for each malformed request and each disconnect: not for everyone's log.
        service.logger.debug(
            "libmicrohttpd: \(message.split(separator: "\n").joined(separator: " "))")
    }
}
