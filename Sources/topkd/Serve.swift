import ArgumentParser
import Glibc
import Execution
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

    /// The flags of this command and of its groups, for the environment.
    static let allFlags = ListenOptions.flags + LimitOptions.flags + flags

    @OptionGroup(title: "Listening") var listening: ListenOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions

    @Option(help: "What the kernels run on: auto, baseline, avx2 or avx512.")
    var isa = "auto"

    @Option(help: "Requests that get a line in the log: off, errors or all.")
    var accessLog = AccessLog.errors.rawValue

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    func validate() throws {
        _ = try instructionSet()
        try word("--access-log", accessLog, AccessLog.allCases.map { $0.rawValue })
        try word("--log-level", logLevel, Logger.Level.allCases.map { $0.rawValue })
    }

    private func word(_ flag: String, _ value: String, _ words: [String]) throws {
        guard words.contains(value) else {
            throw ValidationError(
                "\(flag) must be one of \(words.joined(separator: ", ")), and is \(value).")
        }
    }

    /// nil: the best that there is.
    private func instructionSet() throws -> InstructionSet? {
        if isa == "auto" { return nil }
        try word("--isa", isa, ["auto"] + InstructionSet.allCases.map { $0.rawValue })
        guard let choice = InstructionSet(rawValue: isa), choice <= .best else {
            throw ValidationError(
                "--isa is \(isa), and the best that this processor has is "
                    + "\(InstructionSet.best.rawValue).")
        }
        return choice
    }

    func run() throws {
        if let choice = try instructionSet() { InstructionSet.pin(choice) }
        var settings = Configuration()
        try listening.apply(to: &settings)
        settings.limits = limits.limits
        settings.accessLog = AccessLog(rawValue: accessLog) ?? .errors

        Allocator.giveBackWhatIsFreed()
        Signals.block()
        StandardError.neverWait()
        var logger = Logger(label: "topkd", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        let application = try Application(settings, logger)
        for url in application.urls { print("topkd \(Version.current) listening on \(url)") }
        fflush(nil)
        let signal = Signals.waitForTermination()
        logger.notice("signal \(signal): draining; another one ends at once")
        Signals.endAtNext { [logger] number in
            logger.warning("signal \(number): ended before all was answered")
        }
        application.stop()
        logger.notice("stopped")
    }
}
