import CMicroHTTPD
import Glibc

/// Why a server could not start.
package enum DaemonError: Error, CustomStringConvertible {
    case refused

    package var description: String {
        "libmicrohttpd refused to start; its reason is in the log at level debug"
    }
}

/// Settings of a daemon, with their units.
package struct DaemonOptions: Sendable {
    package var threadCount: Int
    package var connectionsMax: Int
    package var connectionTimeoutSeconds: Int
    /// 64 KiB is the balance of upload speed against zeroing it after every request.
    package var connectionMemoryBytes = 65_536

    package init(threadCount: Int, connectionsMax: Int, connectionTimeoutSeconds: Int) {
        self.threadCount = threadCount
        self.connectionsMax = connectionsMax
        self.connectionTimeoutSeconds = connectionTimeoutSeconds
    }
}

/// A running libmicrohttpd server: some epoll threads that call a `Responder`.
///
/// Lifetime: `stop` before the last reference goes; every exchange answered `.later` must have been
/// completed by then (stopping with suspended connections is an API violation).
package final class Daemon: @unchecked Sendable {
    private var handle: OpaquePointer?
    private let context: Context

    /// What C callbacks get; it lives exactly as long as the daemon.
    fileprivate final class Context {
        let responder: any Responder
        init(_ responder: any Responder) { self.responder = responder }
    }

    /// Starts serving on `socket`, which the daemon owns from here on.
    package init(
        takingOwnershipOf socket: ListeningSocket, _ options: DaemonOptions,
        _ responder: any Responder
    ) throws(DaemonError) {
        context = Context(responder)
        // A write to a closed connection must be an error, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        var settings = CMicroHTTPD_Options()
        settings.listen_socket = socket.descriptor
        settings.thread_count = UInt32(options.threadCount)
        settings.connections_max = UInt32(options.connectionsMax)
        settings.connection_timeout_seconds = UInt32(options.connectionTimeoutSeconds)
        settings.connection_memory_bytes = options.connectionMemoryBytes
        settings.context = Unmanaged.passUnretained(context).toOpaque()
        settings.uri_received = uriReceived
        settings.handler = handleRequest
        settings.completed = requestCompleted
        settings.connection_changed = connectionChanged
        settings.log = logMessage
        handle = CMicroHTTPD_start(&settings)
        if handle == nil { throw .refused }
    }

    /// Stops accepting; open connections go on.
    package func quiesce() {
        let socket = MHD_quiesce_daemon(handle)
        if socket != MHD_INVALID_SOCKET { close(socket) }
    }

    /// Closes every connection and joins the threads.
    package func stop() {
        MHD_stop_daemon(handle)
        handle = nil
    }

    deinit { precondition(handle == nil, "a daemon must be stopped") }
}

/// Remembers how the last exchange of a connection ended.
private final class ConnectionRecord {
    var end = ConnectionEnd.normal
}

private func responder(_ context: UnsafeMutableRawPointer?) -> (any Responder)? {
    guard let context else { return nil }
    return Unmanaged<Daemon.Context>.fromOpaque(context).takeUnretainedValue().responder
}

// File-level lets: a closure made in a MainActor context would trap on the library's threads.

/// The request line is here: makes the exchange, whose pointer comes back in every later call.
private let uriReceived:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?)
        -> UnsafeMutableRawPointer? = { context, uri, connection in
            guard let responder = responder(context), let uri, let connection else { return nil }
            let exchange = Exchange(
                connection: connection, target: String(cString: uri), responder: responder)
            return Unmanaged.passRetained(exchange).toOpaque()
        }

private let handleRequest: MHD_AccessHandlerCallback = {
    _, _, _, method, _, upload, uploadCount, slot in
    guard let pointer = slot?.pointee, let uploadCount else { return .NO }
    return Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
        .step(method: method, upload: upload, uploadCount: uploadCount)
}

private let requestCompleted: MHD_RequestCompletedCallback = { context, connection, slot, code in
    guard let responder = responder(context), let pointer = slot?.pointee else { return }
    slot?.pointee = nil
    let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
    let end: (ExchangeEnd, ConnectionEnd) =
        switch code {
        case .REQUEST_TERMINATED_COMPLETED_OK: (.answered, .normal)
        case .REQUEST_TERMINATED_TIMEOUT_REACHED: (.timeout, .timeout)
        case .REQUEST_TERMINATED_DAEMON_SHUTDOWN: (.shutdown, .shutdown)
        default: (.clientError, .clientError)
        }
    if let record = CMicroHTTPD_connection_context(connection) {
        Unmanaged<ConnectionRecord>.fromOpaque(record).takeUnretainedValue().end = end.1
    }
    responder.finished(exchange, end.0)
}

private let connectionChanged: MHD_NotifyConnectionCallback = { context, _, slot, code in
    guard let responder = responder(context), let slot else { return }
    if code == .CONNECTION_NOTIFY_STARTED {
        slot.pointee = Unmanaged.passRetained(ConnectionRecord()).toOpaque()
        responder.connectionOpened()
    } else if let pointer = slot.pointee {
        slot.pointee = nil
        let record = Unmanaged<ConnectionRecord>.fromOpaque(pointer).takeRetainedValue()
        responder.connectionClosed(record.end)
    }
}

private let logMessage: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void = {
    context, message in
    guard let responder = responder(context), let message else { return }
    responder.log(String(cString: message))
}
