import Encodings
import Execution
import Logging
import Metrics
import MicroHTTPD
import Operators
import Protocols
import Synchronization

/// What every request shares.
final class ServiceState: Sendable {
    let limits: Limits
    let logger: Logger
    let accessLog: AccessLog
    /// Empty: everyone is let in.
    let tokens: Tokens
    let doors: Doors
    let buffers: BufferPool
    let scheduler: Scheduler
    let metrics: ServiceMetrics
    private let draining = Atomic<Bool>(false)
    private let nextRequest = Atomic<UInt64>(UInt64.random(in: 0 ... .max))

    init(_ configuration: Configuration, _ doors: Doors, _ logger: Logger) {
        let limits = configuration.limits
        self.limits = limits
        self.logger = logger
        self.doors = doors
        accessLog = configuration.accessLog
        tokens = configuration.tokens
        buffers = BufferPool(budgetBytes: limits.inflightBytesMax)
        scheduler = Scheduler(
            workerCount: limits.workers, queueDepthMax: limits.queueDepthMax, buffers)
        let routes = doors.routes(Operations(doors, metrics: { [] }, isDraining: { false }))
        metrics = ServiceMetrics(
            doors.catalog, routes: routes.map { $0.pattern },
            statuses: Set(ProblemCode.allCases.map { $0.status } + [200]).sorted(),
            codecs: doors.encodings.map { $0.name },
            rejections: ProblemCode.allCases.map { $0.rawValue },
            connectionEnds: ConnectionEnd.allCases.map { $0.rawValue })
    }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// From here on every answer closes its connection.
    func startDraining() { draining.store(true, ordering: .relaxed) }

    /// Refuses a body that the byte budget could never hold.
    func checkBudget(
        byteCount: Int, _ encoding: any Encoding.Type
    ) throws(HeaderRefusal) {
        let working = encoding.workingBytes(bodyBytes: byteCount)
        if buffers.canEverHold(byteCount: byteCount + encoding.paddingBytes, beside: working) {
            return
        }
        // What surely fits: buffers are powers of two, at most twice as large as the body.
        let limit = buffers.budgetBytes / (2 + encoding.workingBytes(bodyBytes: 1))
        throw .bodyTooLarge(byteCount: byteCount, limit: limit)
    }

    func countRequest(_ encoding: any Encoding.Type) { metrics.codecRequests.add(1, encoding.name) }

    func count(_ result: borrowing InvocationResult, _ timings: Timings) {
        metrics.record(result, timings)
    }

    /// Counts one refusal.
    func countRefusal(_ problem: Problem, requestID: String) {
        metrics.rejected.add(1, problem.code.rawValue)
        if problem.code == .internalError {
            logger.error("internal error", metadata: ["request_id": "\(requestID)"])
        }
    }

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
}
