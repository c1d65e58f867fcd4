import Glibc
import Inference
import Logging
import Metrics
import MicroHTTPD

/// What `topkd serve` was told.
package struct Configuration: Sendable {
    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port = 8080
    package var limits = Limits()

    package init() {}
}

/// The assembled service: starts with everything listening, stops in order.
package final class Application: Sendable {
    /// Where it listens, with the real port.
    package let url: String
    private let state: ServiceState
    private let daemon: Daemon

    /// Binds, starts the workers and the epoll threads.
    package init(_ configuration: Configuration, _ logger: Logger) throws {
        let state = ServiceState(configuration.limits, logger)
        let socket = try ListeningSocket.tcp(host: configuration.host, port: configuration.port)
        let pages = Pages(state.metrics.all + ServiceGauges.all(state) + ProcessMetrics.all())
        state.workers.start()
        let options = DaemonOptions(
            threadCount: configuration.limits.ioThreads,
            connectionsMax: configuration.limits.connectionsMax,
            connectionTimeoutSeconds: configuration.limits.connectionTimeoutSeconds)
        do {
            daemon = try Daemon(takingOwnershipOf: socket, options, Gateway(state, pages))
        } catch {
            state.workers.stop()
            throw error
        }
        self.state = state
        url = socket.url
    }

    /// Orderly end: nothing new is accepted, what was accepted is answered, then connections close.
    /// Returns how many requests the deadline cut off: searches that can be ended get a 503, others
    /// are answered late.
    @discardableResult
    package func stop() -> Int {
        state.startDraining()
        daemon.quiesce()
        // Clients on open connections get their answer with Connection: close, not a lost request.
        if state.metrics.connectionsOpen.value > 0 { usleep(Limits.drainGraceMicroseconds) }
        state.workers.close()
        let deadline = monotonicNanoseconds() + state.limits.drainTimeoutSeconds * 1_000_000_000
        let isIdle = state.workers.waitUntilIdle(deadlineNanoseconds: deadline)
        let unfinished = isIdle ? 0 : state.workers.unfinished
        if !isIdle {
            state.logger.warning("\(unfinished) requests unfinished at the drain deadline")
            state.workers.abort()
        }
        // Suspended connections must be resumed before the daemon stops: the workers finish them.
        state.workers.stop()
        // Answered is not yet sent: slow readers have until the deadline, and what the deadline
        // ended has another second.
        let sendDeadline = isIdle ? deadline : monotonicNanoseconds() + 1_000_000_000
        while state.openExchanges.value > 0 && monotonicNanoseconds() < sendDeadline {
            usleep(2000)
        }
        daemon.stop()
        return unfinished
    }
}
