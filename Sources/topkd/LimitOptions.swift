import ArgumentParser
import Glibc
import Execution
import Service

/// How much the service takes, and for how long. Each declaration is a row of a table: what it
/// sets, its range, its help. A test compares them with the table in docs/OPERATIONS.md.
struct LimitOptions: ParsableArguments {
    @Option(
        \.workers, 1...1024, "Threads that compute.",
        byDefault: "the processors of the container or machine")
    var workers: LimitFlag

    @Option(\.ioThreads, 1...256, "Threads that read and write sockets.")
    var ioThreads: LimitFlag

    @Option(
        \.busyPollMicroseconds, 0...1_000_000,
        """
        How long an I/O thread looks for a lone client's next request before it sleeps, where the \
        last sleep was short; 0: never.
        """)
    var busyPollMicroseconds: LimitFlag

    @Option(\.queueDepthMax, 1...1_000_000, "Requests that may wait for a worker; more are a 503.")
    var queueDepthMax: LimitFlag

    // Before --body-bytes-max, whose default is half of it: what is wrong is said in its own name.
    @Option(
        \.inflightBytesMax, 2...(1 << 40),
        "Memory in bytes for bodies; answers may take a quarter more; beyond that, 503.",
        byDefault: "\(Limits().inflightBytesMax), or half of the container's memory")
    var inflightBytesMax: LimitFlag

    @Option(
        \.bodyBytesMax, 1...(1 << 36), "Largest body in bytes; more is a 413.",
        byDefault: "\(Limits().bodyBytesMax), or a quarter of the container's memory")
    var bodyBytesMax: LimitFlag

    @Option(
        \.connectionsMax, 1...1_000_000, "Open connections.",
        byDefault: "\(Limits().connectionsMax), or an eighth of the container's memory")
    var connectionsMax: LimitFlag

    @Option(
        \.connectionTimeoutSeconds, 1...86_400,
        "Seconds without traffic after which an idle connection is closed.")
    var connectionTimeoutSeconds: LimitFlag

    @Option(\.headerTimeoutSeconds, 1...86_400, "Seconds that a header may take.")
    var headerTimeoutSeconds: LimitFlag

    @Option(
        \.stallTimeoutSeconds, 1...86_400,
        "Seconds in which 64 KiB of a body or an answer have to move.")
    var stallTimeoutSeconds: LimitFlag

    @Option(
        \.requestTimeoutSeconds, 1...86_400,
        "Seconds from header to answer: more is a 504, or the end of a body not yet whole.")
    var requestTimeoutSeconds: LimitFlag

    @Option(
        \.connectionAgeMaxSeconds, 0...31_536_000,
        "Seconds after which an answer closes its connection; 0: never.")
    var connectionAgeMaxSeconds: LimitFlag

    @Option(
        \.drainDelaySeconds, 0...86_400,
        "Seconds that all goes on after SIGTERM, but for /readyz and keep-alive.")
    var drainDelaySeconds: LimitFlag

    @Option(
        \.drainTimeoutSeconds, 0...86_400,
        "Seconds that accepted requests have to finish after that.")
    var drainTimeoutSeconds: LimitFlag

    /// The flags above, in their order.
    private var table: [(flag: String, row: LimitFlag)] {
        Mirror(reflecting: self).children.compactMap { label, value in
            guard let label, let option = value as? Option<LimitFlag> else { return nil }
            return (Self.flag(label), option.wrappedValue)
        }
    }

    /// All of them, with what the container says where a flag is silent.
    var limits: Limits {
        let container = Container()
        let memory = container.memoryBytes ?? .max
        var limits = Limits()
        limits.workers = container.processors ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        limits.inflightBytesMax = inflightBytesMax.given ?? min(limits.inflightBytesMax, memory / 2)
        limits.bodyBytesMax = min(limits.bodyBytesMax, limits.inflightBytesMax / 2)
        limits.connectionsMax =
            max(64, min(limits.connectionsMax, memory / 8 / Self.connectionBytes))
        for (_, row) in table { if let given = row.given { limits[keyPath: row.path] = given } }
        return limits
    }

    /// What an open connection holds, and what the process has without any.
    private static let connectionBytes = 40 << 10
    private static let baseBytes = 32 << 20

    func validate() throws {
        let limits = limits
        assert(Set(table.map { $0.row.path }).count == table.count, "two flags set the same limit")
        for (flag, row) in table { try row.range.check(flag, limits[keyPath: row.path]) }
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
