import CMicroHTTPD
import Glibc
import Platform

/// Why a server could not start.
package enum DaemonError: Error, CustomStringConvertible {
    case refused
    case refusedTLS

    package var description: String {
        switch self {
        case .refused: "libmicrohttpd refused to start; its reason is in the log at level debug"
        case .refusedTLS:
            "TLS does not start: the certificate and the key must be PEM texts that belong together"
        }
    }
}

/// Settings of a daemon, with their units.
package struct DaemonOptions: Sendable {
    package var threadCount: Int
    package var connectionsMax: Int
    package var connectionTimeoutSeconds: Int
    /// For headers and small bodies; large ones go past it (receive.c). It is set to zero after
    /// every request: of 64 KiB, that was a quarter of our share of a small one. Above 32 KiB the
    /// library maps it, and the system has it back when a crowd has gone.
    package var connectionMemoryBytes = 36_864
    package var deadlines: ConnectionDeadlines
    /// How long an epoll thread looks for more before it sleeps, where it expects some; 0: it
    /// sleeps.
    package var busyPollMicroseconds = 0
    /// Answers of older connections close them, so that new replicas get some. nil: never.
    package var connectionAgeMaxSeconds: Int?
    /// Headers that the responder asks for, beside HTTP's own.
    package var headers = HeaderTable([])
    /// PEM texts of a certificate (chain) and its key, for TLS.
    package var tls: (certificate: String, key: String)?

    package init(
        threadCount: Int, connectionsMax: Int, connectionTimeoutSeconds: Int,
        deadlines: ConnectionDeadlines
    ) {
        self.threadCount = threadCount
        self.connectionsMax = connectionsMax
        self.connectionTimeoutSeconds = connectionTimeoutSeconds
        self.deadlines = deadlines
    }
}

/// A running libmicrohttpd server: some epoll threads that call a `Responder`.
///
/// Lifetime: `stop` before the last reference goes; every exchange answered `.later` must have been
/// completed by then (stopping with suspended connections is an API violation).
package final class Daemon: @unchecked Sendable {
    private var handle: OpaquePointer?
    private let context: Context
    private let socket: ListeningSocket
    private var isQuiesced = false

    /// What C callbacks get; it lives exactly as long as the daemon.
    fileprivate final class Context {
        let responder: any Responder
        let reaper: Reaper
        let acceptor: Acceptor
        let ageMaxNanoseconds: Int?
        let busyPollNanoseconds: Int64
        let isEncrypted: Bool
        let headers: HeaderTable

        init(_ responder: any Responder, _ options: DaemonOptions, _ socket: ListeningSocket) {
            self.responder = responder
            acceptor = Acceptor(socket.descriptor, connectionsMax: options.connectionsMax)
            reaper = Reaper(options.deadlines)
            ageMaxNanoseconds = options.connectionAgeMaxSeconds.map { $0 * 1_000_000_000 }
            busyPollNanoseconds = Int64(options.busyPollMicroseconds) * 1000
            isEncrypted = options.tls != nil
            headers = options.headers
        }
    }

    /// Starts serving on `socket`, which the daemon owns from here on.
    package init(
        takingOwnershipOf socket: ListeningSocket, _ options: DaemonOptions,
        _ responder: any Responder
    ) throws(DaemonError) {
        context = Context(responder, options, socket)
        self.socket = socket
        // A write to a closed connection must be an error, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        var settings = CMicroHTTPD_Options()
        settings.thread_count = UInt32(options.threadCount)
        // The acceptor has the limit. A place is free a moment before the library knows.
        settings.connections_max = UInt32(options.connectionsMax + 2 * options.threadCount)
        settings.connection_timeout_seconds = UInt32(options.connectionTimeoutSeconds)
        settings.connection_memory_bytes = options.connectionMemoryBytes
        settings.context = Unmanaged.passUnretained(context).toOpaque()
        settings.uri_received = uriReceived
        settings.handler = handleRequest
        settings.completed = requestCompleted
        settings.connection_changed = connectionChanged
        settings.log = logMessage
        handle =
            if let tls = options.tls {
                tls.certificate.withCString { certificate in
                    tls.key.withCString { key in
                        settings.tls_certificate = certificate
                        settings.tls_key = key
                        return CMicroHTTPD_start(&settings)
                    }
                }
            } else {
                CMicroHTTPD_start(&settings)
            }
        guard let handle else {
            socket.close()
            throw options.tls == nil ? .refused : .refusedTLS
        }
        context.reaper.start()
        context.acceptor.start(for: handle)
    }

    /// Open connections, after `quiesce`; also those that were accepted a moment before.
    package var connectionCount: Int { context.acceptor.openCount }

    /// Whether something that has been answered, or will be, has not been sent to its last byte.
    package var isAnswering: Bool { context.reaper.isAnswering }

    /// Stops accepting; open connections go on, and those in the backlog are among them.
    package func quiesce() {
        // First the name, so that a successor may take it.
        socket.remove()
        isQuiesced = true
        context.acceptor.stop()
    }

    /// Closes every connection and joins the threads.
    package func stop() {
        if !isQuiesced { quiesce() }
        context.reaper.stop()
        MHD_stop_daemon(handle)
        handle = nil
    }

    deinit { precondition(handle == nil, "a daemon must be stopped") }
}

/// Calls `body` with the object that a callback's pointer stands for. Its owner keeps it until the
/// callback is over: counting references meanwhile, for each of them, took as long as it does.
private func with<Object: AnyObject, Result>(
    _ type: Object.Type, _ pointer: UnsafeMutableRawPointer?, _ body: (Object) -> Result?
) -> Result? {
    guard let pointer else { return nil }
    return Unmanaged<Object>.fromOpaque(pointer)._withUnsafeGuaranteedRef(body)
}

/// The same with what `connectionChanged` stored.
private func withConnection<Result>(
    _ handle: OpaquePointer?, _ body: (Connection) -> Result?
) -> Result? {
    with(Connection.self, CMicroHTTPD_connection_context(handle), body)
}

// File-level lets: a closure made in a MainActor context would trap on the library's threads.

/// The request line is here: makes the exchange, whose pointer comes back in every later call.
private let uriReceived:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?)
        -> UnsafeMutableRawPointer? = { pointer, uri, handle in
            guard let uri, let handle else { return nil }
            return with(Daemon.Context.self, pointer) { context in
                withConnection(handle) { begin(context, uri, handle, $0) }
            }
        }

private func begin(
    _ context: Daemon.Context, _ uri: UnsafePointer<CChar>, _ handle: OpaquePointer,
    _ connection: Connection
) -> UnsafeMutableRawPointer {
    if connection.phase == .idle { connection.enter(.header, now: MonotonicClock.tick()) }
    // Of this thread, which the library made.
    CMicroHTTPD_set_busy_poll(context.busyPollNanoseconds)
    let exchange = Exchange(
        handle: handle, connection, connection.target(uri), context.headers,
        responder: context.responder, ageMaxNanoseconds: context.ageMaxNanoseconds)
    // The query is ours. The library would keep a record of each of its items; where there are a
    // thousand, it runs out of memory and never answers.
    if let mark = strchr(uri, Int32(UInt8(ascii: "?"))) { mark[1] = 0 }
    return Unmanaged.passRetained(exchange).toOpaque()
}

private let handleRequest: MHD_AccessHandlerCallback = {
    _, _, url, method, version, upload, uploadCount, slot in
    guard let uploadCount, let url, let method, let version else { return .NO }
    return with(Exchange.self, slot?.pointee) {
        $0.step(line: (method, url, version), upload: upload, uploadCount: uploadCount)
    } ?? .NO
}

private let requestCompleted: MHD_RequestCompletedCallback = { pointer, handle, slot, code in
    guard let opaque = slot?.pointee else { return }
    slot?.pointee = nil
    let exchange = Unmanaged<Exchange>.fromOpaque(opaque).takeRetainedValue()
    exchange.endReceiving()
    let end: (ExchangeEnd, ConnectionEnd) =
        switch code {
        case .REQUEST_TERMINATED_COMPLETED_OK: (.answered, .normal)
        case .REQUEST_TERMINATED_TIMEOUT_REACHED: (.timeout, .timeout)
        case .REQUEST_TERMINATED_DAEMON_SHUTDOWN: (.shutdown, .shutdown)
        default: (.clientError, .clientError)
        }
    withConnection(handle) { connection in
        connection.note(end.1)
        connection.holdEnd(false)
        // Of a request that came with this one, some is here already.
        connection.enter(connection.hasBegun ? .header : .idle, now: MonotonicClock.tick())
    }
    with(Daemon.Context.self, pointer) { $0.responder.finished(exchange, end.0) }
}

private let connectionChanged: MHD_NotifyConnectionCallback = { pointer, handle, slot, code in
    guard let slot else { return }
    with(Daemon.Context.self, pointer) { context in
        if code == .CONNECTION_NOTIFY_STARTED {
            let connection = Connection(
                descriptor: CMicroHTTPD_descriptor(handle), isEncrypted: context.isEncrypted,
                now: MonotonicClock.tick())
            slot.pointee = Unmanaged.passRetained(connection).toOpaque()
            context.reaper.add(connection)
            context.responder.connectionOpened()
        } else if let opaque = slot.pointee {
            slot.pointee = nil
            let connection = Unmanaged<Connection>.fromOpaque(opaque).takeRetainedValue()
            context.reaper.remove(connection)
            connection.closeStream()
            context.responder.connectionClosed(connection.end)
            context.acceptor.released()
        }
    }
}

private let logMessage: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void = {
    pointer, message in
    guard let message else { return }
    with(Daemon.Context.self, pointer) { $0.responder.log(String(cString: message)) }
}
