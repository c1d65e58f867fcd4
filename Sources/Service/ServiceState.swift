import Codecs
import Inference
import Logging
import Metrics
import MicroHTTPD
import Synchronization

/// What every request handler shares.
final class ServiceState: Sendable {
    let limits: Limits
    let logger: Logger
    let accessLog: AccessLog
    /// Empty: everyone is let in.
    let tokens: Tokens
    let buffers: BufferPool
    let workers: WorkerPool
    let metrics: ServiceMetrics
    let sent = SentAnswers()
    private let draining = Atomic<Bool>(false)
    private let nextRequest = Atomic<UInt64>(UInt64.random(in: 0 ... .max))

    init(_ configuration: Configuration, _ logger: Logger) {
        let limits = configuration.limits
        self.limits = limits
        self.logger = logger
        accessLog = configuration.accessLog
        tokens = configuration.tokens
        buffers = BufferPool(budgetBytes: limits.inflightBytesMax)
        workers = WorkerPool(workerCount: limits.workers, queueDepthMax: limits.queueDepthMax)
        metrics = ServiceMetrics(
            routes: Route.all.map { $0.path },
            statuses: Set(ProblemCode.allCases.map { $0.status } + [200]).sorted(),
            codecs: CodecRegistry.all.map { $0.name },
            rejections: ProblemCode.allCases.map { $0.rawValue },
            connectionEnds: ConnectionEnd.allCases.map { $0.rawValue })
    }

    func countAnswer(_ route: Route?, method: String, status: Int) {
        metrics.countAnswer(route: route?.path ?? "other", method: method, status: status)
    }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// From here on every answer closes its connection.
    func startDraining() { draining.store(true, ordering: .relaxed) }

    /// The client's id if it is one that may go into logs and headers, otherwise a new one.
    func requestID(_ proposed: String?) -> String {
        if let proposed, !proposed.isEmpty, proposed.utf8.count <= 128,
            proposed.utf8.allSatisfy({ Self.isIDByte($0) })
        {
            return proposed
        }
        // An odd step walks through all 2^60 values before one repeats.
        let number = nextRequest.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue
        return String(unsafeUninitializedCapacity: Self.ownIDDigits) { digits in
            for i in 0..<Self.ownIDDigits {
                let digit = UInt8(truncatingIfNeeded: number >> (56 - 4 * UInt64(i))) & 15
                digits[i] = digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
            }
            return Self.ownIDDigits
        }
    }

    /// As many as a String holds without memory of its own.
    private static let ownIDDigits = 15

    private static func isIDByte(_ byte: UInt8) -> Bool {
        let isAlphanumeric =
            (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
        return isAlphanumeric || byte == 45 || byte == 46 || byte == 95
    }

    /// Counts and words one refusal.
    func refuse(_ problem: Problem, _ record: RequestRecord) -> Reply {
        metrics.rejected.add(1, problem.code.rawValue)
        record.problem = problem.code
        if problem.code == .internalError {
            logger.error("internal error", metadata: ["request_id": "\(record.requestID)"])
        }
        let reply = problem.reply(requestID: record.requestID)
        reply.add("X-Request-Id", record.requestID)
        record.answerBytes = reply.byteCount
        return reply
    }
}
