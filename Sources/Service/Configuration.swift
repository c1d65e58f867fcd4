import Execution
import MicroHTTPD
import Protocols

/// What `topkd serve` was told.
package struct Configuration: Sendable {
    package var host = "127.0.0.1"
    /// 0 takes a free one; nil listens on no TCP port.
    package var port: Int? = 8080
    /// A Unix socket to listen on, and its permissions.
    package var unixPath: String?
    package var unixMode = 0o660
    /// A port for health and metrics only, without tokens and TLS; 0 takes a free one.
    package var probePort: Int?
    package var probeHost = "127.0.0.1"
    /// PEM texts; TLS on the TCP port where they are given.
    package var tls: (certificate: String, key: String)?
    package var tokens = Tokens(text: "")
    package var accessLog = AccessLog.errors
    package var limits = Limits()

    package init() {}

    /// One listening socket and how it is served.
    struct Listener {
        let socket: ListeningSocket
        let isTLS: Bool
        let isForProbes: Bool
    }

    /// Binds all of them, or none.
    func listen() throws(ListenError) -> [Listener] {
        var listeners: [Listener] = []
        do throws(ListenError) {
            if let port {
                let socket = try ListeningSocket.tcp(
                    host: host, port: port, scheme: tls == nil ? "http" : "https")
                listeners.append(Listener(socket: socket, isTLS: tls != nil, isForProbes: false))
            }
            if let unixPath {
                let socket = try ListeningSocket.unix(path: unixPath, mode: unixMode)
                listeners.append(Listener(socket: socket, isTLS: false, isForProbes: false))
            }
            if let probePort {
                let socket = try ListeningSocket.tcp(host: probeHost, port: probePort)
                listeners.append(Listener(socket: socket, isTLS: false, isForProbes: true))
            }
        } catch {
            for listener in listeners { listener.socket.close() }
            throw error
        }
        return listeners
    }

    func daemonOptions(_ listener: Listener) -> DaemonOptions {
        var options = DaemonOptions(
            threadCount: listener.isForProbes ? 1 : limits.ioThreads,
            connectionsMax: limits.connectionsMax,
            connectionTimeoutSeconds: limits.connectionTimeoutSeconds,
            deadlines: ConnectionDeadlines(
                headerSeconds: limits.headerTimeoutSeconds,
                idleSeconds: limits.connectionTimeoutSeconds,
                bodySeconds: limits.requestTimeoutSeconds, stallBytes: Limits.stallBytes,
                stallSeconds: limits.stallTimeoutSeconds))
        options.headers = HeaderTable(HeaderName.kept)
        options.busyPollMicroseconds = limits.busyPollMicroseconds
        if limits.connectionAgeMaxSeconds > 0 {
            options.connectionAgeMaxSeconds = limits.connectionAgeMaxSeconds
        }
        if listener.isTLS { options.tls = tls }
        return options
    }
}
