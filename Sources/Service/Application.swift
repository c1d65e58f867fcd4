import Glibc
import Execution
import Logging
import Metrics
import MicroHTTPD
import Platform

/// The assembled service: starts with everything listening, stops in order.
package final class Application: Sendable {
    /// Where it listens, with the real ports; the one for probes is the last.
    package let urls: [String]
    private let state: ServiceState
    private let daemons: [Daemon]

    package var url: String { urls[0] }

    /// Binds, starts the workers and the epoll threads.
    package init(
        _ configuration: Configuration, _ logger: Logger, _ doors: Doors = .standard
    ) throws {
        let listeners = try configuration.listen()
        precondition(!listeners.isEmpty, "the command line asks for a port or a path")
        let state = ServiceState(configuration, doors, logger)
        let metrics = state.metrics.all + ServiceGauges.all(state) + ProcessMetrics.all()
        let routes = doors.routes(
            Operations(
                doors, metrics: { metrics }, isDraining: { [unowned state] in state.isDraining }))
        state.scheduler.start()
        var daemons: [Daemon] = []
        do {
            for listener in listeners {
                let gateway = Gateway(state, routes, isForProbes: listener.isForProbes)
                daemons.append(
                    try Daemon(
                        takingOwnershipOf: listener.socket, configuration.daemonOptions(listener),
                        gateway))
            }
        } catch {
            for daemon in daemons { daemon.stop() }
            // The one that failed has closed its own.
            for listener in listeners.dropFirst(daemons.count + 1) { listener.socket.close() }
            state.scheduler.stop()
            throw error
        }
        self.daemons = daemons
        self.state = state
        urls = listeners.map { $0.socket.url }
    }

    /// Orderly end: for the drain delay all goes on but /readyz and keep-alive; then nothing new is
    /// accepted, what was accepted is answered, then connections close.
    /// Returns how many requests the deadline cut off: searches that can be ended get a 503, others
    /// are answered late.
    @discardableResult
    package func stop() -> Int {
        state.startDraining()
        if state.limits.drainDelaySeconds > 0 { sleep(UInt32(state.limits.drainDelaySeconds)) }
        for daemon in daemons { daemon.quiesce() }
        // Clients on open connections get their answer with Connection: close, not a lost request.
        if daemons.contains(where: { $0.connectionCount > 0 }) {
            usleep(Limits.drainGraceMicroseconds)
        }
        state.scheduler.close()
        let deadline = MonotonicClock.now() + state.limits.drainTimeoutSeconds * 1_000_000_000
        let isIdle = state.scheduler.waitUntilIdle(deadlineNanoseconds: deadline)
        let unfinished = isIdle ? 0 : state.scheduler.unfinished
        if !isIdle {
            state.logger.warning("\(unfinished) requests unfinished at the drain deadline")
            state.scheduler.abort()
        }
        // Suspended connections must be resumed before the daemon stops: the workers finish them.
        state.scheduler.stop()
        // Answered is not yet sent: slow readers have until the deadline, and what the deadline
        // ended has another second.
        let sendDeadline = isIdle ? deadline : MonotonicClock.now() + 1_000_000_000
        while MonotonicClock.now() < sendDeadline && daemons.contains(where: { $0.isAnswering }) {
            usleep(2000)
        }
        for daemon in daemons { daemon.stop() }
        return unfinished
    }
}
