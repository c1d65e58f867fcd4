import Operators
import Platform

/// Decides where and when calls are computed, and that there are not too many of them.
///
/// Three lanes (`Lane`): small quick calls run on the thread that received them; others wait for a
/// worker; searches go on, once a worker has decoded them, with threads of lower priority, so that
/// nothing quick ever waits behind them.
///
/// Lifecycle: `admit` from any thread; `close`, then `waitUntilIdle`, then `stop`.
package final class Scheduler: Crew.Owner {
    package let workerCount: Int
    package let queueDepthMax: Int
    private let buffers: BufferPool
    private let pool: Crew
    private let searches: Crew
    private let outputs = OutputPool()
    private let ending = EndFlag()
    private let state = Lock(State())
    private let changed = Condition()

    private struct State {
        /// Places in the queue that are taken, and for which no job has come yet.
        var reservedCount = 0
        /// Accepted and not yet answered.
        var unfinishedCount = 0
        /// Scratch for calls that run on their callers' threads.
        var visitors: [Worker] = []
        /// Searches that are not yet answered.
        var searches: [ObjectIdentifier: Job] = [:]
        var isClosed = false
        /// Whether someone is in `waitUntilIdle`.
        var isAwaited = false
        var isStopping = false
        var watch: [Thread] = []
    }

    package init(workerCount: Int, queueDepthMax: Int, _ buffers: BufferPool) {
        precondition(workerCount >= 1 && queueDepthMax >= 1)
        self.workerCount = workerCount
        self.queueDepthMax = queueDepthMax
        self.buffers = buffers
        pool = Crew(threadCount: workerCount, .normal, outputs: outputs)
        searches = Crew(threadCount: workerCount, .background, outputs: outputs)
    }

    /// Starts the threads.
    package func start() {
        pool.start(for: self)
        searches.start(for: self)
        state.withLock { $0.watch = [Thread { [self] in watchSearches() }] }
    }

    /// A place in the queue. Whoever gets one submits it exactly once.
    package struct Place: Sendable {
        fileprivate let scheduler: Scheduler
        fileprivate let job: Job

        package func submit() { scheduler.submit(job) }
    }

    /// Computes a small call here and now if nothing waits and a worker is idle: returns nil, and
    /// the call has its answer. Otherwise takes a place in the queue. Never waits.
    ///
    /// Errors: `draining`, `overloaded`.
    package func admit(_ call: any Call, isSmall: Bool) throws(ServiceError) -> Place? {
        guard isSmall && pool.hasIdleThread else {
            try reserve()
            return Place(scheduler: self, job: Job(call, buffers, ending))
        }
        let visitor = try accept { $0.visitors.popLast() } ?? Worker(outputs: outputs)
        let job = Job(call, buffers, ending)
        var isDone = true
        if job.start(visitor) {
            if case .quick = job.lane {
                _ = job.computeBlocks(visitor)
            } else if takePlace() {
                // It turned out to be long, and goes on with another thread.
                isDone = false
            } else {
                job.refuse(.overloaded(.queue))
            }
        }
        visitor.trim()
        countFinished(isDone ? 1 : 0) { $0.visitors.append(visitor) }
        return isDone ? nil : Place(scheduler: self, job: job)
    }

    /// Counts one more call, unless the scheduler is closed.
    private func accept<Result>(
        _ body: (inout State) -> Result
    ) throws(ServiceError) -> Result {
        let result = state.withLock { state -> Result? in
            if state.isClosed { return nil }
            state.unfinishedCount += 1
            return body(&state)
        }
        guard let result else { throw .draining }
        return result
    }

    private func reserve() throws(ServiceError) {
        try accept { _ in }
        if takePlace() { return }
        countFinished(1) { _ in }
        throw .overloaded(.queue)
    }

    private func takePlace() -> Bool {
        state.withLock { state in
            let waiting = pool.queueDepth + searches.queueDepth + state.reservedCount
            guard waiting < queueDepthMax else { return false }
            state.reservedCount += 1
            return true
        }
    }

    private func submit(_ job: Job) {
        job.startWaiting()
        if case .search = job.lane { enqueueSearch(job) } else { pool.append(job) }
        state.withLock { $0.reservedCount -= 1 }
    }

    private func enqueueSearch(_ job: Job) {
        state.withLock { $0.searches[ObjectIdentifier(job)] = job }
        searches.append(job)
        changed.broadcast()
    }

    func begin(_ job: Job, _ worker: Worker) -> Bool {
        if job.hasStarted { return true }
        guard job.start(worker) else {
            finished(job)
            return false
        }
        guard case .search = job.lane else { return true }
        job.startWaiting()
        enqueueSearch(job)
        return false
    }

    func finished(_ job: Job) {
        countFinished(1) { state in
            if !state.searches.isEmpty { state.searches[ObjectIdentifier(job)] = nil }
        }
    }

    private func countFinished(_ count: Int, _ body: (inout State) -> Void) {
        let isIdle = state.withLock { state in
            body(&state)
            state.unfinishedCount -= count
            return state.unfinishedCount == 0 && state.isAwaited
        }
        // Only those who drain wait for it.
        if isIdle { changed.broadcast() }
    }

    package var queueDepth: Int {
        state.withLock { pool.queueDepth + searches.queueDepth + $0.reservedCount }
    }
    package var busyWorkers: Int { pool.busyCount + searches.busyCount }
    /// Accepted and not yet answered.
    package var unfinished: Int { state.withLock { $0.unfinishedCount } }

    /// From here on every call is refused.
    package func close() { state.withLock { $0.isClosed = true } }

    /// Ends what can be ended: it gets an error instead of an answer.
    package func abort() { ending.set() }

    /// Waits until every accepted call is answered; false when the deadline passed first.
    package func waitUntilIdle(deadlineNanoseconds: Int) -> Bool {
        state.wait(for: changed, until: deadlineNanoseconds) { state in
            state.isAwaited = true
            return state.unfinishedCount == 0 ? true : nil
        } ?? false
    }

    /// Ends the threads when their queues are empty, and joins them.
    package func stop() {
        pool.stop()
        searches.stop()
        let watch = state.withLock { state in
            state.isStopping = true
            defer { state.watch = [] }
            return state.watch
        }
        changed.broadcast()
        for thread in watch { thread.join() }
    }
}

/// Searches end soon after their client has left or their deadline has passed, whether they wait or
/// are being computed.
extension Scheduler {
    private static let watchIntervalMicroseconds: UInt32 = 20_000

    private func watchSearches() {
        while true {
            // Sleeps while there are none.
            let isOver = state.wait(for: changed) { state -> Bool? in
                state.isStopping ? true : state.searches.isEmpty ? nil : false
            }
            if isOver { return }
            let now = MonotonicClock.now()
            let jobs = state.withLock { Array($0.searches.values) }
            var ending: Set<ObjectIdentifier> = []
            for job in jobs where job.endsNow(now) { ending.insert(ObjectIdentifier(job)) }
            if !ending.isEmpty {
                let isOut = { (job: Job) in ending.contains(ObjectIdentifier(job)) }
                for job in searches.removeWaiting(where: isOut) {
                    job.endWaiting()
                    finished(job)
                }
            }
            Thread.sleep(microseconds: Self.watchIntervalMicroseconds)
        }
    }
}
