import CMicroHTTPD
import Glibc
import Platform

/// What to do with the body of a request whose header has been read.
package enum BodyPlan {
    /// Store it here; `owner` keeps the memory alive. A longer body than announced cannot come.
    /// `arrived` is told how many bytes are there, on the epoll thread, each time some came; others
    /// wait for that thread, so it is quick. If not all are there at the deadline, which is one
    /// of the monotonic clock's, the connection ends.
    case store(
        UnsafeMutableRawBufferPointer, owner: AnyObject, deadlineNanoseconds: Int,
        arrived: ((_ byteCount: Int) -> Void)?)
    /// Read it, forget it, then send this: the connection stays usable.
    case discard(then: Reply)
    /// Send this at once and close the connection: for bodies that are not worth reading.
    case refuse(Reply)
    /// No body, or none that matters.
    case ignore
}

/// How a complete request is answered.
package enum Answer {
    case now(Reply)
    /// `start` is called after the connection has been set aside; whoever it hands the exchange to
    /// calls `Exchange.complete` exactly once, from any thread.
    case later(start: () -> Void)
}

/// Decides about requests. Methods run on epoll threads: they must not block, nor parse or compute
/// what takes long.
package protocol Responder: AnyObject, Sendable {
    /// The header is here, the body is not.
    func begin(_ exchange: Exchange, fault: HeaderFault?) -> BodyPlan
    /// The body is complete (`exchange.bodyCount` bytes are stored).
    func respond(_ exchange: Exchange) -> Answer
    /// The exchange is over, answered or not.
    func finished(_ exchange: Exchange, _ end: ExchangeEnd)
    /// Whether answers close their connections, as they should while the server shuts down.
    var closesConnections: Bool { get }
    func connectionOpened()
    func connectionClosed(_ reason: ConnectionEnd)
    func log(_ message: String)
}

/// How an exchange ended.
package enum ExchangeEnd: Sendable {
    case answered
    /// The client went away or its bytes made no sense.
    case clientError
    case timeout
    case shutdown
}

/// Why a connection ended.
package enum ConnectionEnd: String, CaseIterable, Sendable {
    /// Either side closed it between requests, or after a complete answer.
    case normal
    case clientError = "client_error"
    case timeout
    case shutdown
}

/// One request and its answer.
///
/// Owned by the connection from the request line to `MHD_OPTION_NOTIFY_COMPLETED`. All state is
/// used by one epoll thread, but for `complete`, which hands the reply over through
/// `MHD_resume_connection`.
package final class Exchange: @unchecked Sendable {
    private enum State {
        case header
        /// The body goes to `store`.
        case storing
        /// The body is read away, then comes `reply`.
        case discarding
        case ignoring
        case suspended
        /// `reply` is to be sent.
        case ready
        case sent
    }

    private let handle: OpaquePointer
    package let connection: Connection
    private let responder: any Responder
    private let ageMaxNanoseconds: Int?
    private var state = State.header
    /// Where the body is stored, and who keeps that memory alive.
    private var store = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var storeOwner: AnyObject?
    private var arrived: ((Int) -> Void)?
    /// The body, while it is received to where it stays instead of being copied there.
    private var direct: DirectBody?
    private var reply: Reply?
    /// The request target: path and query, not unescaped.
    package let target: Target
    private let table: HeaderTable
    package private(set) var method = ""
    package private(set) var framing = BodyFraming()
    private var headers = HeaderValues()
    /// Bytes of body received so far.
    package private(set) var bodyCount = 0
    /// Whatever the responder wants to keep with the request.
    package var attachment: AnyObject?
    /// Set when a reply has been handed to the library.
    package private(set) var repliedStatus: Int?

    init(
        handle: OpaquePointer, _ connection: Connection, _ target: Target, _ table: HeaderTable,
        responder: any Responder, ageMaxNanoseconds: Int?
    ) {
        self.handle = handle
        self.connection = connection
        self.target = target
        self.table = table
        self.responder = responder
        self.ageMaxNanoseconds = ageMaxNanoseconds
    }

    /// The value of a header, if it came once or more (then the first). Until the request ends.
    package func header(_ name: HeaderName) -> String? { headers[name] }

    package func hasHeader(_ name: HeaderName) -> Bool { headers.has(name) }

    /// Whether it came, and is this text.
    package func header(_ name: HeaderName, equals text: String) -> Bool {
        headers.equals(name, text)
    }

    /// Answers a request that was answered `.later`; any thread, once. Takes the reply: its memory
    /// is free when it has been sent, and not when the caller is done.
    package func complete(_ reply: consuming Reply) {
        guard case .suspended = state else { preconditionFailure("complete without later") }
        self.reply = consume reply
        state = .ready
        MHD_resume_connection(handle)
    }

    /// One call of the access handler: header, some body, or the end of the body.
    func step(
        line: (
            method: UnsafePointer<CChar>, url: UnsafePointer<CChar>, version: UnsafePointer<CChar>
        ),
        upload: UnsafePointer<CChar>?,
        uploadCount: UnsafeMutablePointer<Int>
    ) -> MHD_Result {
        switch state {
        case .header:
            return start(
                RequestLine(
                    methodText: line.method, targetText: line.url, versionText: line.version,
                    targetCount: target.receivedCount))
        case .storing where uploadCount.pointee > 0:
            let count = uploadCount.pointee
            guard let upload, count <= store.count - bodyCount else { return .NO }
            if let direct {
                guard direct.reported == bodyCount + count else { return .NO }
            } else {
                store.baseAddress?.advanced(by: bodyCount)
                    .copyMemory(from: upload, byteCount: count)
            }
            bodyCount += count
            if direct == nil && bodyCount < store.count {
                direct = DirectBody(connection, into: store, stored: bodyCount)
            }
            arrived?(bodyCount)
            connection.advance(to: bodyCount)
            uploadCount.pointee = 0
            return .YES
        case .discarding, .ignoring, .ready, .sent:
            if uploadCount.pointee > 0 {
                bodyCount += uploadCount.pointee
                connection.advance(to: bodyCount)
                uploadCount.pointee = 0
                return .YES
            }
        case .storing, .suspended:
            break
        }
        switch state {
        case .storing, .ignoring: return answer()
        case .discarding, .ready: return send()
        case .header, .suspended, .sent: return .YES
        }
    }

    private func start(_ line: RequestLine) -> MHD_Result {
        method = String(cString: line.methodText)
        let audit = HeaderAudit.run(handle, line, connection.stream, table)
        framing = audit.framing
        headers = audit.values
        let targetFault = target.isValid ? nil : HeaderFault.invalidTarget
        connection.bodyDeadline = .max
        connection.enter(.body, now: MonotonicClock.tick())
        switch responder.begin(self, fault: audit.fault ?? targetFault) {
        case .store(let memory, let owner, let deadline, let arrived):
            (store, storeOwner, self.arrived) = (memory, owner, arrived)
            connection.bodyDeadline = deadline
            state = .storing
        case .discard(let reply):
            self.reply = reply
            state = .discarding
        case .ignore: state = .ignoring
        case .refuse(let reply):
            self.reply = reply
            return send()
        }
        return .YES
    }

    /// Before the socket or the body's memory goes.
    func endReceiving() {
        direct?.end()
        direct = nil
    }

    private func answer() -> MHD_Result {
        connection.enter(.working, now: 0)
        connection.holdEnd(true)
        endReceiving()
        // From here on the memory is the responder's.
        storeOwner = nil
        arrived = nil
        switch responder.respond(self) {
        case .now(let reply):
            self.reply = reply
            return send()
        case .later(let start):
            state = .suspended
            MHD_suspend_connection(handle)
            start()
            return .YES
        }
    }

    private func send() -> MHD_Result {
        state = .sent
        guard let reply, let response = reply.response else { return .NO }
        self.reply = nil
        connection.enter(.writing, now: MonotonicClock.tick(), replyBytes: reply.byteCount)
        if responder.closesConnections || isAged { reply.closeConnection() }
        if MHD_queue_response(handle, UInt32(reply.status), response) == .NO {
            // Too early (a client that waits for 100 Continue and sends nothing): asked again
            // later.
            self.reply = reply
            state = .ready
            return .YES
        }
        repliedStatus = reply.status
        return .YES
    }

    /// Connections live up to a tenth longer than they must, each its own part of it: not all of
    /// them come back at once.
    private var isAged: Bool {
        guard let ageMaxNanoseconds else { return false }
        let spread = ageMaxNanoseconds / 10 * (Int(connection.descriptor) * 7 % 16) / 16
        return MonotonicClock.tick() - connection.openedNanoseconds > ageMaxNanoseconds + spread
    }
}
