import Operators
import Synchronization

/// One request's way through the pool, as its owner (room Service) sees it. All methods run on
/// worker threads.
package protocol Call: AnyObject, Sendable {
    /// When the answer is no longer of use, on the monotonic clock.
    var deadlineNanoseconds: Int { get }
    /// Whether the client has gone away.
    var isAbandoned: Bool { get }
    /// Lets long searches end: after the deadline, and when the pool is told to abort.
    var cancellation: Cancellation { get }
    /// Makes the answer of a call that nobody waits for. Called once, or one of the next two is.
    func abandon()
    func decode(_ worker: Worker) throws(ServiceError) -> InferenceRequest
    /// Encodes the answer. When it throws, `fail` follows.
    func succeed(_ result: borrowing InferenceResult, _ timings: Timings) throws(ServiceError)
    /// Makes the error's answer.
    func fail(_ error: ServiceError, _ request: InferenceRequest?, _ timings: Timings)
    /// Sends the answer. Called once, and last: nobody holds the request's memory any more, so that
    /// a client's next one finds it.
    func deliver()
}

/// A call in the pool: decoded by the worker that takes it, computed by as many as are free, and
/// finished by the one that completes its last block of rows. Nobody waits for anybody.
final class Job: @unchecked Sendable {
    private let call: any Call
    private let cancellation: Cancellation
    private let submittedNanoseconds: Int?
    private var timings = Timings()
    // Written by the decoding worker before the job is shared, read-only after that.
    private var request: InferenceRequest?
    private var rowsPerBlock = 1
    private var blockCount = 0
    private var outputs: BlockOutputs?

    private let nextBlock = Atomic<Int>(0)
    private let blocksLeft = Atomic<Int>(0)
    /// The error of the lowest row: the same answer however the rows were split.
    private let firstError = Mutex<OperatorError?>(nil)

    /// - Parameter submittedNanoseconds: when it was put into the queue; nil if it was not.
    init(_ call: any Call, submittedNanoseconds: Int?) {
        self.call = call
        cancellation = call.cancellation
        self.submittedNanoseconds = submittedNanoseconds
    }

    /// Whether there are blocks that no worker has taken yet.
    var hasUnclaimedBlocks: Bool { nextBlock.load(ordering: .relaxed) < blockCount }

    /// Decodes and plans. False when the job ended here, with an error or with nothing to compute.
    func start(_ worker: Worker) -> Bool {
        timings.begin(at: submittedNanoseconds ?? monotonicNanoseconds())
        if submittedNanoseconds != nil { timings.end(.queue) }
        if call.isAbandoned {
            call.abandon()
            call.deliver()
            return false
        }
        do throws(ServiceError) {
            if timings.lastNanoseconds > call.deadlineNanoseconds { throw .deadlinePassed(.queue) }
            let request = try call.decode(worker)
            try Self.check(request)
            self.request = request
            rowsPerBlock = Self.rowsPerBlock(request.form)
            // No rows are a block, too.
            blockCount = max(1, (request.form.rowCount + rowsPerBlock - 1) / rowsPerBlock)
            outputs = BlockOutputs(
                worker.takeOutput(),
                blockCount == 1 ? [] : (1..<blockCount).map { _ in worker.takeOutput() })
            blocksLeft.store(blockCount, ordering: .relaxed)
            timings.end(.decode)
            return true
        } catch {
            timings.end(.decode)
            call.fail(error, nil, timings)
        }
        call.deliver()
        return false
    }

    /// Whether it may be computed on a thread that has other things to do.
    var isQuick: Bool { request?.form.isQuick ?? true }

    /// How many further workers could help.
    var spareBlocks: Int { blockCount - 1 }

    /// Computes blocks until none is left; finishes the job after the last one of all.
    /// True if this call finished it.
    func computeBlocks(_ worker: Worker) -> Bool {
        while true {
            let index = nextBlock.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < blockCount else { return false }
            compute(index, worker)
            let left = blocksLeft.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
            guard left == 0 else { continue }
            finish(worker)
            call.deliver()
            return true
        }
    }

    // A function of its own, as `finish` is: when it returns, it holds the request no longer.
    @inline(never)
    private func compute(_ index: Int, _ worker: Worker) {
        guard let request, let output = outputs?[index] else {
            preconditionFailure("a job computes after it has started")
        }
        let start = index * rowsPerBlock
        let rows = start..<min(start + rowsPerBlock, request.form.rowCount)
        do throws(OperatorError) {
            try request.compute(rows, cancellation, into: output, worker.workspace)
        } catch {
            firstError.withLock { first in
                if first.map({ error.row < $0.row }) ?? true { first = error }
            }
        }
    }

    @inline(never)
    private func finish(_ worker: Worker) {
        guard let request = request.take(), let outputs = outputs.take() else {
            preconditionFailure("a job is finished once")
        }
        // The answer may need the room.
        request.releaseEarly()
        timings.end(.compute)
        let result = InferenceResult(request: request, blocks: outputs)
        do throws(ServiceError) {
            if let error = firstError.withLock({ $0 }) { throw serviceError(error, request) }
            if let error = result.widthError { throw error }
            try call.succeed(result, timings)
        } catch {
            call.fail(error, request, timings)
        }
        outputs.forEach { worker.giveBack($0) }
    }

    private func serviceError(_ error: OperatorError, _ request: InferenceRequest) -> ServiceError {
        if case .cancelled = error, monotonicNanoseconds() > call.deadlineNanoseconds {
            return .deadlinePassed(.compute)
        }
        return ServiceError(error, in: request)
    }

    /// What the operator itself refuses.
    private static func check(_ request: InferenceRequest) throws(ServiceError) {
        do throws(OperatorError) {
            try request.check()
        } catch {
            throw ServiceError(error, in: request)
        }
    }

    /// Blocks of about `Limits.blockElements` numbers; all rows together where the operator asks.
    private static func rowsPerBlock(_ form: RequestForm) -> Int {
        guard case .row = form.op.scope(form.parameters) else { return max(1, form.rowCount) }
        return max(1, Limits.blockElements / max(1, form.rowLength))
    }
}
