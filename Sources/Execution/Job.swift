import Operators
import Platform
import Synchronization

/// A call on its way: decoded by the thread that takes it, computed by as many as are free, and
/// finished by the one that completes its last block of rows. Nobody waits for anybody.
final class Job: @unchecked Sendable {
    let call: any Call
    /// What operators may ask: whether anyone still wants the answer, memory.
    private let context: RunContext
    private let buffers: BufferPool
    // Written by one thread at a time, which hands the job on through a crew's lock.
    private var timings = Timings()
    private var state = State.waiting
    private var blockCount = 0
    /// Whether its client has had time to leave.
    private var hasWaited = false

    private let nextBlock = Atomic<Int>(0)
    private let blocksLeft = Atomic<Int>(0)
    /// The error of the lowest row, so that it does not depend on how the rows were split; at most
    /// one, and under `errorsLock`.
    private var firstError: [OperatorError] = []
    /// One for all jobs: errors are few.
    private static let errorsLock = Lock(())
    private let clientHasLeft = Atomic<Bool>(false)

    private enum State {
        case waiting
        case running(Running)
        case finished
    }

    private struct Running {
        let invocation: Invocation
        let outputs: BlockOutputs
        /// Holds what computing takes beside its numbers.
        let memory: AnyObject
    }

    init(_ call: any Call, _ buffers: BufferPool, _ ending: EndFlag) {
        self.call = call
        self.buffers = buffers
        context = RunContext(deadlineNanoseconds: call.deadlineNanoseconds, ending, buffers)
        timings.begin(at: MonotonicClock.now())
    }

    /// Where it belongs once it has been decoded; a worker decodes.
    var lane: Lane {
        guard case .running(let running) = state else { return .pool }
        return running.invocation.form.lane
    }

    var hasStarted: Bool {
        if case .waiting = state { false } else { true }
    }

    /// Whether there are blocks that no thread has taken yet.
    var hasUnclaimedBlocks: Bool { nextBlock.load(ordering: .relaxed) < blockCount }

    /// How many further threads could help.
    var spareBlocks: Int { blockCount - 1 }

    /// It goes to a queue.
    func startWaiting() {
        hasWaited = true
        timings.begin(at: MonotonicClock.now())
    }

    /// A thread has taken it from the queue.
    func stopWaiting() { timings.end(.queue) }

    /// Decodes and plans. False when the job ended here, with an error or without a client.
    func start(_ worker: Worker) -> Bool {
        if hasWaited, case .gone = call.departure { return end { $0.abandon(.queue, timings) } }
        do throws(ServiceError) {
            if timings.lastNanoseconds > context.deadlineNanoseconds {
                throw .deadlinePassed(.queue)
            }
            let invocation = try call.decode(worker)
            let form = invocation.form
            let memory = try reserve(invocation)
            // No rows are a block, too.
            blockCount = max(1, (form.rowCount + form.rowsPerBlock - 1) / form.rowsPerBlock)
            let outputs = BlockOutputs(
                worker.takeOutput(),
                blockCount == 1 ? [] : (1..<blockCount).map { _ in worker.takeOutput() })
            state = .running(Running(invocation: invocation, outputs: outputs, memory: memory))
            blocksLeft.store(blockCount, ordering: .relaxed)
            timings.end(.decode)
            return true
        } catch {
            timings.end(.decode)
            return end { $0.fail(error, nil, timings) }
        }
    }

    /// Ends a job that is not computed.
    private func end(_ answer: (any Call) -> Void) -> Bool {
        state = .finished
        answer(call)
        call.deliver()
        return false
    }

    /// Refuses a job that is not being computed, because there is no place for it.
    func refuse(_ error: ServiceError) {
        var form: InvocationForm?
        if case .running(let running) = state { form = running.invocation.form }
        _ = end { $0.fail(error, form, timings) }
    }

    /// What computing takes beside the numbers, where it is much.
    private func reserve(_ invocation: Invocation) throws(ServiceError) -> AnyObject {
        let byteCount = invocation.form.workingBytes
        if let reservation = buffers.reserve(byteCount: byteCount) { return reservation }
        let limit = buffers.budgetBytes - invocation.heldBytes
        throw byteCount > limit
            ? .answerTooLarge(byteCount: byteCount, limit: max(0, limit)) : .overloaded(.bytes)
    }

    /// How a visit of `computeBlocks` ended.
    enum Visit {
        /// The last block of all was done here, and the answer is on its way.
        case finished
        /// Others compute the last blocks.
        case exhausted
        /// Others were to have the thread; blocks are left.
        case yielded
    }

    /// Computes blocks until none is left, or `mustYield` says so after one of them; finishes the
    /// job after the last one of all.
    func computeBlocks(_ worker: Worker, mustYield: () -> Bool = { false }) -> Visit {
        while true {
            let index = nextBlock.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < blockCount else { return .exhausted }
            compute(index, worker)
            let left = blocksLeft.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
            if left == 0 {
                finish(worker)
                call.deliver()
                return .finished
            }
            if hasUnclaimedBlocks && mustYield() { return .yielded }
        }
    }

    // A function of its own, as `finish` is: when it returns, it holds the invocation no longer.
    @inline(never)
    private func compute(_ index: Int, _ worker: Worker) {
        guard case .running(let running) = state else {
            preconditionFailure("a job computes after it has started")
        }
        let form = running.invocation.form
        let start = index * form.rowsPerBlock
        let rows = start..<min(start + form.rowsPerBlock, form.rowCount)
        do throws(OperatorError) {
            try running.invocation.compute(
                rows, context, into: running.outputs[index], worker.workspace)
        } catch {
            Self.errorsLock.withLock { _ in
                if firstError.isEmpty || error.row < firstError[0].row { firstError = [error] }
            }
        }
    }

    @inline(never)
    private func finish(_ worker: Worker) {
        guard case .running(let running) = state else {
            preconditionFailure("a job is finished once")
        }
        state = .finished
        // The answer may need the room.
        running.invocation.releaseEarly()
        timings.end(.compute)
        let result = InvocationResult(running.invocation, running.outputs)
        do throws(ServiceError) {
            // All blocks are done: nobody writes it any more.
            if let error = firstError.first {
                if case .cancelled = error, clientHasLeft.load(ordering: .relaxed) {
                    call.abandon(.compute, timings)
                } else {
                    throw serviceError(error, running.invocation)
                }
            } else {
                if let error = result.widthError { throw error }
                try call.succeed(result, timings)
            }
        } catch {
            call.fail(error, running.invocation.form, timings)
        }
        running.outputs.forEach { worker.giveBack($0) }
    }

    private func serviceError(
        _ error: OperatorError, _ invocation: Invocation
    ) -> ServiceError {
        if case .cancelled = error, MonotonicClock.now() > context.deadlineNanoseconds {
            return .deadlinePassed(.compute)
        }
        return ServiceError(error, in: invocation)
    }

    /// Whether a search is to end, because its client has left or its deadline has passed; it is
    /// cancelled then.
    func endsNow(_ now: Int) -> Bool {
        if case .none = call.departure {
            guard now > context.deadlineNanoseconds else { return false }
        } else {
            clientHasLeft.store(true, ordering: .relaxed)
        }
        context.cancel()
        return true
    }

    /// Ends a search that has been decoded and still waits for a thread.
    func endWaiting() {
        guard case .running(let running) = state else {
            preconditionFailure("a search waits after it has been decoded")
        }
        stopWaiting()
        let hasLeft = clientHasLeft.load(ordering: .relaxed)
        let form = running.invocation.form
        _ = end { call in
            if hasLeft {
                call.abandon(.queue, timings)
            } else {
                call.fail(.deadlinePassed(.queue), form, timings)
            }
        }
    }
}
