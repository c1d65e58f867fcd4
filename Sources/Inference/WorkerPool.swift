import Glibc
import Operators
import Synchronization

/// What one worker thread owns: scratch memory that no other thread touches.
package final class Worker: @unchecked Sendable {
    package let workspace = Workspace()
    /// A codec's own scratch, such as a parser; the codec that finds another's replaces it.
    package var codecScratch: AnyObject?
    private let outputs: OutputPool
    /// The last that came back here: no lock is taken for it.
    private var spare: OperatorOutput?

    package init(outputs: OutputPool = OutputPool()) { self.outputs = outputs }

    func takeOutput() -> OperatorOutput { spare.take() ?? outputs.take() }

    func giveBack(_ output: OperatorOutput) {
        guard output.capacityBytes <= 16 * Limits.blockElements else { return }
        if spare == nil { spare = output } else { outputs.giveBack(output) }
    }

    /// After each job: scratch that only a huge request needs is not kept.
    func trim() { workspace.trim() }
}

/// Recycles the arrays that blocks are written to.
package final class OutputPool: @unchecked Sendable {
    private let monitor = Monitor()
    private var idle: [OperatorOutput] = []
    private let idleCountMax = 32

    package init() {}

    func take() -> OperatorOutput {
        monitor.withLock { idle.popLast() } ?? OperatorOutput()
    }

    func giveBack(_ output: OperatorOutput) {
        monitor.withLock {
            if idle.count < idleCountMax { idle.append(output) }
        }
    }
}

/// A bounded queue and the threads that empty it.
///
/// Lifecycle: `reserve` and `Slot.submit` from any thread; `close`, then `waitUntilIdle`, then
/// `stop`.
package final class WorkerPool: @unchecked Sendable {
    package let workerCount: Int
    package let queueDepthMax: Int
    private let monitor = Monitor()
    private let outputs = OutputPool()
    private let aborted = Atomic<Bool>(false)
    // Under the monitor's lock:
    private var queue = Deque<Job>()
    /// Jobs with more blocks than their own worker; idle workers look here first.
    private var shared: [Job] = []
    private var reservedCount = 0
    private var unfinishedCount = 0
    private var busyCount = 0
    private var isClosed = false
    private var isStopping = false
    /// Whether someone is in `waitUntilIdle`.
    private var isAwaited = false
    private var threads: [pthread_t] = []
    /// Scratch for calls that run on their callers' threads.
    private var visitors: [Worker] = []

    package init(workerCount: Int, queueDepthMax: Int) {
        precondition(workerCount >= 1 && queueDepthMax >= 1)
        self.workerCount = workerCount
        self.queueDepthMax = queueDepthMax
    }

    /// Starts the threads.
    package func start() {
        for _ in 0..<workerCount { threads.append(spawn { [self] in run() }) }
    }

    /// A place in the queue. Whoever holds one must submit exactly one call.
    package struct Slot: Sendable {
        private let pool: WorkerPool

        fileprivate init(_ pool: WorkerPool) { self.pool = pool }

        package func submit(_ call: any Call) {
            pool.enqueue(Job(call, submittedNanoseconds: monotonicNanoseconds()))
        }
    }

    /// Takes a place in the queue, or says why there is none. Never waits.
    package func reserve() throws(ServiceError) -> Slot {
        let refusal = monitor.withLock { () -> ServiceError? in
            if isClosed { return .draining }
            if queue.count + reservedCount >= queueDepthMax { return .overloaded(.queue) }
            reservedCount += 1
            unfinishedCount += 1
            return nil
        }
        if let refusal { throw refusal }
        return Slot(self)
    }

    /// Runs a small call on the calling thread, under the same admission, if no request waits and a
    /// worker is idle: false when it has to queue.
    package func runHere(_ call: any Call) -> Bool {
        let visitor = monitor.withLock { () -> Worker? in
            if isClosed || queue.count + reservedCount > 0 || busyCount >= workerCount {
                return nil
            }
            unfinishedCount += 1
            return visitors.popLast() ?? Worker(outputs: outputs)
        }
        guard let visitor else { return false }
        let job = Job(call, submittedNanoseconds: nil)
        // A call that turns out to be long goes on with a worker.
        var isDone = true
        if job.start(visitor) {
            isDone = job.isQuick
            if isDone { isDone = job.computeBlocks(visitor) }
        }
        monitor.withLock {
            visitors.append(visitor)
            countFinished()
        }
        return isDone
    }

    /// Ends long searches: what they were for gets an error instead of an answer.
    package func abort() { aborted.store(true, ordering: .relaxed) }

    /// For `Call.cancellation`.
    package var isAborted: Bool { aborted.load(ordering: .relaxed) }

    private func enqueue(_ job: Job) {
        monitor.withLock {
            reservedCount -= 1
            queue.append(job)
            // Who drains waits on the same condition, and must not swallow the only signal.
            if isAwaited { monitor.broadcast() } else { monitor.signal() }
        }
    }

    package var queueDepth: Int { monitor.withLock { queue.count + reservedCount } }
    package var busyWorkers: Int { monitor.withLock { busyCount } }
    /// Accepted and not yet answered.
    package var unfinished: Int { monitor.withLock { unfinishedCount } }

    /// From here on every `reserve` is refused.
    package func close() { monitor.withLock { isClosed = true } }

    /// Waits until every accepted job is answered; false when the deadline passed first.
    package func waitUntilIdle(deadlineNanoseconds: Int) -> Bool {
        monitor.withLock {
            isAwaited = true
            while unfinishedCount > 0 {
                if !monitor.wait(untilNanoseconds: deadlineNanoseconds) {
                    return unfinishedCount == 0
                }
            }
            return true
        }
    }

    /// Ends the threads after their current job and joins them.
    package func stop() {
        monitor.withLock {
            isStopping = true
            monitor.broadcast()
        }
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }

    private enum Task {
        case start(Job)
        case help(Job)
    }

    private func run() {
        let worker = Worker(outputs: outputs)
        while let task = nextTask() {
            switch task {
            case .start(let job):
                guard job.start(worker) else {
                    finished()
                    break
                }
                if job.spareBlocks > 0 { share(job) }
                if job.computeBlocks(worker) { finished() }
            case .help(let job):
                if job.computeBlocks(worker) { finished() }
            }
            worker.trim()
            monitor.withLock { busyCount -= 1 }
        }
    }

    private func nextTask() -> Task? {
        monitor.withLock {
            while true {
                while let job = shared.first {
                    if job.hasUnclaimedBlocks {
                        busyCount += 1
                        return .help(job)
                    }
                    shared.removeFirst()
                }
                if let job = queue.popFirst() {
                    busyCount += 1
                    return .start(job)
                }
                if isStopping { return nil }
                monitor.wait()
            }
        }
    }

    private func share(_ job: Job) {
        monitor.withLock {
            shared.append(job)
            monitor.broadcast()
        }
    }

    private func finished() { monitor.withLock { countFinished() } }

    /// Under the lock.
    private func countFinished() {
        unfinishedCount -= 1
        // Only for those who drain: waking idle workers after each request halves the throughput.
        if unfinishedCount == 0 && isAwaited { monitor.broadcast() }
    }
}

/// Starts a joinable thread.
package func spawn(_ body: @escaping @Sendable () -> Void) -> pthread_t {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { pointer in
            guard let pointer else { return nil }
            Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    precondition(code == 0, "pthread_create: \(code)")
    return thread
}
