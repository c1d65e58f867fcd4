import ArgumentParser
import Glibc
import Execution
import Service

/// How much the service takes, and for how long.
struct LimitOptions: ParsableArguments {
    static let flags = [
        "--workers", "--io-threads", "--busy-poll-microseconds", "--queue-depth-max",
        "--body-bytes-max",
        "--inflight-bytes-max", "--connections-max", "--connection-timeout-seconds",
        "--header-timeout-seconds", "--stall-timeout-seconds", "--request-timeout-seconds",
        "--connection-age-max-seconds", "--drain-delay-seconds", "--drain-timeout-seconds",
    ]

    private static let defaults = Limits()

    @Option(help: "Threads that compute. (default: the processors of the container or machine)")
    var workers: Int?

    @Option(help: "Threads that read and write sockets.")
    var ioThreads = defaults.ioThreads

    @Option(
        help: """
            How long an I/O thread looks for a lone client's next request before it sleeps, \
            where the last sleep was short; 0: never.
            """)
    var busyPollMicroseconds = defaults.busyPollMicroseconds

    @Option(help: "Requests that may wait for a worker; more are a 503.")
    var queueDepthMax = defaults.queueDepthMax

    @Option(
        help: """
            Largest body in bytes; more is a 413. (default: 268435456, or a quarter of the \
            container's memory)
            """)
    var bodyBytesMax: Int?

    @Option(
        help: """
            Memory in bytes for bodies; answers may take a quarter more; beyond that, 503. \
            (default: 1073741824, or half of the container's memory)
            """)
    var inflightBytesMax: Int?

    @Option(help: "Open connections. (default: 4096, or an eighth of the container's memory)")
    var connectionsMax: Int?

    @Option(help: "Seconds without traffic after which an idle connection is closed.")
    var connectionTimeoutSeconds = defaults.connectionTimeoutSeconds

    @Option(help: "Seconds that a header may take.")
    var headerTimeoutSeconds = defaults.headerTimeoutSeconds

    @Option(help: "Seconds in which 64 KiB of a body or an answer have to move.")
    var stallTimeoutSeconds = defaults.stallTimeoutSeconds

    @Option(
        help: "Seconds from header to answer: more is a 504, or the end of a body not yet whole.")
    var requestTimeoutSeconds = defaults.requestTimeoutSeconds

    @Option(help: "Seconds after which an answer closes its connection; 0: never.")
    var connectionAgeMaxSeconds = defaults.connectionAgeMaxSeconds

    @Option(help: "Seconds that all goes on after SIGTERM, but for /readyz and keep-alive.")
    var drainDelaySeconds = defaults.drainDelaySeconds

    @Option(help: "Seconds that accepted requests have to finish after that.")
    var drainTimeoutSeconds = defaults.drainTimeoutSeconds

    /// All of them, with what the container says where a flag is silent.
    var limits: Limits {
        let container = Container()
        let memory = container.memoryBytes ?? .max
        var limits = Self.defaults
        limits.workers =
            workers ?? container.processors ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        limits.ioThreads = ioThreads
        limits.busyPollMicroseconds = busyPollMicroseconds
        limits.queueDepthMax = queueDepthMax
        limits.inflightBytesMax = inflightBytesMax ?? min(limits.inflightBytesMax, memory / 2)
        limits.bodyBytesMax = bodyBytesMax ?? min(limits.bodyBytesMax, limits.inflightBytesMax / 2)
        limits.connectionsMax =
            connectionsMax ?? max(64, min(limits.connectionsMax, memory / 8 / Self.connectionBytes))
        limits.connectionTimeoutSeconds = connectionTimeoutSeconds
        limits.headerTimeoutSeconds = headerTimeoutSeconds
        limits.stallTimeoutSeconds = stallTimeoutSeconds
        limits.requestTimeoutSeconds = requestTimeoutSeconds
        limits.connectionAgeMaxSeconds = connectionAgeMaxSeconds
        limits.drainDelaySeconds = drainDelaySeconds
        limits.drainTimeoutSeconds = drainTimeoutSeconds
        return limits
    }

    /// What an open connection holds, and what the process has without any.
    private static let connectionBytes = 40 << 10
    private static let baseBytes = 32 << 20

    func validate() throws {
        let limits = limits
        let ranges: [(String, Int, ClosedRange<Int>)] = [
            ("--workers", limits.workers, 1...1024),
            ("--io-threads", ioThreads, 1...256),
            ("--busy-poll-microseconds", busyPollMicroseconds, 0...1_000_000),
            ("--queue-depth-max", queueDepthMax, 1...1_000_000),
            // First, because the next one's default is half of it.
            ("--inflight-bytes-max", limits.inflightBytesMax, 2...(1 << 40)),
            ("--body-bytes-max", limits.bodyBytesMax, 1...(1 << 36)),
            ("--connections-max", limits.connectionsMax, 1...1_000_000),
            ("--connection-timeout-seconds", connectionTimeoutSeconds, 1...86_400),
            ("--header-timeout-seconds", headerTimeoutSeconds, 1...86_400),
            ("--stall-timeout-seconds", stallTimeoutSeconds, 1...86_400),
            ("--request-timeout-seconds", requestTimeoutSeconds, 1...86_400),
            ("--connection-age-max-seconds", connectionAgeMaxSeconds, 0...31_536_000),
            ("--drain-delay-seconds", drainDelaySeconds, 0...86_400),
            ("--drain-timeout-seconds", drainTimeoutSeconds, 0...86_400),
        ]
        for (flag, value, range) in ranges where !range.contains(value) {
            throw ValidationError(
                "\(flag) must be from \(range.lowerBound) to \(range.upperBound), and is \(value).")
        }
        try validateTogether(limits)
    }

    /// Limits that cannot hold at the same time.
    private func validateTogether(_ limits: Limits) throws {
        // A body of the largest size must fit, as JSON with what decoding it takes.
        let needed = (1 + Limits.jsonWorkingBytesPerBodyByte) * limits.bodyBytesMax
        if limits.inflightBytesMax < limits.bodyBytesMax {
            throw ValidationError(
                "--inflight-bytes-max (\(limits.inflightBytesMax)) must be at least "
                    + "--body-bytes-max (\(limits.bodyBytesMax)), and \(needed) for JSON bodies of "
                    + "that size.")
        }
        guard let memory = Container().memoryBytes else { return }
        let total =
            Self.baseBytes + limits.inflightBytesMax + limits.connectionsMax * Self.connectionBytes
        if total > memory {
            throw ValidationError(
                "the container has \(memory) bytes; --inflight-bytes-max "
                    + "(\(limits.inflightBytesMax)), \(Self.connectionBytes) for each of "
                    + "--connections-max (\(limits.connectionsMax)) and \(Self.baseBytes) for the "
                    + "process are \(total).")
        }
    }
}
