import ArgumentParser
import Glibc
import Inference
import Logging
import Operators
import Service

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve until SIGTERM or SIGINT.",
        discussion: """
            Each flag has an environment variable: --body-bytes-max is TOPKD_BODY_BYTES_MAX. \
            A flag on the command line wins.
            """)

    /// The flags below, for the environment.
    static let flags = [
        "--host", "--port", "--workers", "--io-threads", "--queue-depth-max", "--body-bytes-max",
        "--inflight-bytes-max", "--connections-max", "--connection-timeout-seconds",
        "--drain-timeout-seconds", "--isa", "--log-level",
    ]

    private static let defaults = Configuration()

    @Option(help: "Address to listen on.")
    var host = defaults.host

    @Option(help: "TCP port; 0 takes a free one.")
    var port = defaults.port

    @Option(help: "Threads that compute. (default: one a core)")
    var workers: Int?

    @Option(help: "Threads that read and write sockets.")
    var ioThreads = defaults.limits.ioThreads

    @Option(help: "Requests that may wait for a worker; more are a 503.")
    var queueDepthMax = defaults.limits.queueDepthMax

    @Option(help: "Largest body in bytes; more is a 413.")
    var bodyBytesMax = defaults.limits.bodyBytesMax

    @Option(help: "Memory in bytes for bodies and replies of all requests; more is a 503.")
    var inflightBytesMax = defaults.limits.inflightBytesMax

    @Option(help: "Open connections.")
    var connectionsMax = defaults.limits.connectionsMax

    @Option(help: "Seconds without traffic after which a connection is closed.")
    var connectionTimeoutSeconds = defaults.limits.connectionTimeoutSeconds

    @Option(help: "Seconds that accepted requests have to finish after SIGTERM.")
    var drainTimeoutSeconds = defaults.limits.drainTimeoutSeconds

    @Option(help: "What the kernels run on: auto, baseline, avx2 or avx512.")
    var isa = "auto"

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    func validate() throws {
        let ranges: [(String, Int, ClosedRange<Int>)] = [
            ("--port", port, 0...65_535),
            ("--workers", workers ?? 1, 1...1024),
            ("--io-threads", ioThreads, 1...256),
            ("--queue-depth-max", queueDepthMax, 1...1_000_000),
            ("--body-bytes-max", bodyBytesMax, 1...(1 << 36)),
            ("--inflight-bytes-max", inflightBytesMax, 1...(1 << 40)),
            ("--connections-max", connectionsMax, 1...1_000_000),
            ("--connection-timeout-seconds", connectionTimeoutSeconds, 1...86_400),
            ("--drain-timeout-seconds", drainTimeoutSeconds, 0...86_400),
        ]
        for (flag, value, range) in ranges where !range.contains(value) {
            throw ValidationError(
                "\(flag) must be from \(range.lowerBound) to \(range.upperBound), and is \(value).")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            let words = Logger.Level.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw ValidationError("--log-level must be one of \(words), and is \(logLevel).")
        }
        _ = try instructionSet()
        // A body of the largest size must fit, as JSON with what decoding it takes.
        let needed = (1 + Limits.jsonWorkingBytesPerBodyByte) * bodyBytesMax
        if inflightBytesMax < bodyBytesMax {
            throw ValidationError(
                "--inflight-bytes-max (\(inflightBytesMax)) must be at least --body-bytes-max "
                    + "(\(bodyBytesMax)), and \(needed) for JSON bodies of that size.")
        }
    }

    /// nil: the best that there is.
    private func instructionSet() throws -> InstructionSet? {
        if isa == "auto" { return nil }
        let words = InstructionSet.allCases.map { $0.rawValue }.joined(separator: ", ")
        guard let choice = InstructionSet(rawValue: isa) else {
            throw ValidationError("--isa must be one of auto, \(words), and is \(isa).")
        }
        guard choice <= .best else {
            throw ValidationError(
                "--isa is \(isa), and the best that this processor has is "
                    + "\(InstructionSet.best.rawValue).")
        }
        return choice
    }

    func run() throws {
        if let choice = try instructionSet() { InstructionSet.pin(choice) }
        var settings = Configuration()
        settings.host = host
        settings.port = port
        settings.limits.workers = workers ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        settings.limits.ioThreads = ioThreads
        settings.limits.queueDepthMax = queueDepthMax
        settings.limits.bodyBytesMax = bodyBytesMax
        settings.limits.inflightBytesMax = inflightBytesMax
        settings.limits.connectionsMax = connectionsMax
        settings.limits.connectionTimeoutSeconds = connectionTimeoutSeconds
        settings.limits.drainTimeoutSeconds = drainTimeoutSeconds

        Signals.block()
        var logger = Logger(label: "topkd", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        logger.info("kernels run on \(InstructionSet.current.rawValue)")
        let application = try Application(settings, logger)
        print("topkd \(Version.current) listening on \(application.url)")
        fflush(nil)
        let signal = Signals.waitForTermination()
        logger.notice("signal \(signal): draining")
        application.stop()
        logger.notice("stopped")
    }
}
