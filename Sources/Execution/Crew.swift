import Operators
import Platform
import Synchronization

/// Threads of one priority, and the jobs that wait for them: one for quick work, one for searches.
///
/// Peers take turns, job by job and, within long jobs, block by block. A job of several blocks is
/// shared: idle threads help, and a thread leaves it after a block when another peer's job waits.
/// Those of one peer are computed one after the other: to compute them all at once would make each
/// of them late.
final class Crew: Sendable {
    let threadCount: Int
    private let priority: Thread.Priority
    private let state = Lock(State())
    private let changed = Condition()
    /// Jobs in the queue, for those who compute and look between two blocks.
    private let waitingCount = Atomic<Int>(0)
    private let busyThreadCount = Atomic<Int>(0)
    private let outputs: OutputPool

    private struct State {
        var queue = TurnQueue<Job>()
        /// Started jobs with blocks that nobody has taken.
        var shared = TurnQueue<Job>()
        var isStopping = false
        var threads: [Thread] = []
    }

    /// What a crew does with a job that it has taken from the queue, or has helped with.
    protocol Owner: AnyObject, Sendable {
        /// Decodes it; false where it ended, or belongs to another crew.
        func begin(_ job: Job, _ worker: Worker) -> Bool
        /// It has been answered.
        func finished(_ job: Job)
    }

    init(threadCount: Int, _ priority: Thread.Priority, outputs: OutputPool) {
        self.threadCount = threadCount
        self.priority = priority
        self.outputs = outputs
    }

    func start(for owner: any Owner) {
        state.withLock { state in
            for _ in 0..<threadCount {
                state.threads.append(Thread(priority) { [self, unowned owner] in run(owner) })
            }
        }
    }

    /// Ends the threads when the queue is empty, and joins them.
    func stop() {
        let threads = state.withLock { state in
            state.isStopping = true
            defer { state.threads = [] }
            return state.threads
        }
        changed.broadcast()
        for thread in threads { thread.join() }
    }

    var queueDepth: Int { waitingCount.load(ordering: .relaxed) }
    var busyCount: Int { busyThreadCount.load(ordering: .relaxed) }
    var hasIdleThread: Bool { queueDepth == 0 && busyCount < threadCount }

    func append(_ job: Job) {
        state.withLock { state in
            state.queue.append(job, job.call.peer)
            waitingCount.store(state.queue.count, ordering: .relaxed)
        }
        changed.signal()
    }

    /// Takes out of the queue the jobs that `isOut` says.
    func removeWaiting(where isOut: (Job) -> Bool) -> [Job] {
        state.withLock { state in
            let removed = state.queue.removeAll(where: isOut)
            waitingCount.store(state.queue.count, ordering: .relaxed)
            return removed
        }
    }

    private enum Turn {
        case start(Job)
        case help(Job)
    }

    private func run(_ owner: any Owner) {
        var worker: Worker?
        var helpsNext = false
        while let task = next(helpsNext: helpsNext) {
            let own = worker ?? Worker(outputs: outputs)
            worker = own
            switch task {
            case .start(let job):
                helpsNext = true
                job.stopWaiting()
                if owner.begin(job, own) {
                    if job.spareBlocks > 0 { share(job) }
                    compute(job, own, owner)
                }
            case .help(let job):
                helpsNext = false
                compute(job, own, owner)
            }
            own.trim()
            busyThreadCount.subtract(1, ordering: .relaxed)
        }
    }

    private func compute(_ job: Job, _ worker: Worker, _ owner: any Owner) {
        let peer = job.call.peer
        let visit = job.computeBlocks(worker) {
            state.withLock { $0.queue.hasOthers(than: peer) || $0.shared.hasOthers(than: peer) }
        }
        if case .finished = visit { owner.finished(job) }
    }

    /// Waits for something to do; nil at the end. Queued and shared jobs by turns.
    private func next(helpsNext: Bool) -> Turn? {
        state.wait(for: changed) { state -> Turn?? in
            guard let task = take(&state, helpsNext: helpsNext) else {
                return state.isStopping ? .some(nil) : nil
            }
            busyThreadCount.add(1, ordering: .relaxed)
            return task
        }
    }

    private func take(_ state: inout State, helpsNext: Bool) -> Turn? {
        if let job = takeShared(&state, unlessOthersWait: !helpsNext) { return .help(job) }
        if let job = state.queue.popFirst() {
            waitingCount.store(state.queue.count, ordering: .relaxed)
            return .start(job)
        }
        return nil
    }

    /// The next shared job with blocks left; it stays shared, and its peer's turn is over. nil if
    /// there is none, or if it has to wait until a job of another peer has been started.
    private func takeShared(_ state: inout State, unlessOthersWait: Bool) -> Job? {
        while let (job, peer) = state.shared.first {
            guard job.hasUnclaimedBlocks else {
                _ = state.shared.popFirst()
                continue
            }
            if unlessOthersWait && state.queue.hasOthers(than: peer) { return nil }
            state.shared.passTurn()
            return job
        }
        return nil
    }

    private func share(_ job: Job) {
        state.withLock { $0.shared.append(job, job.call.peer) }
        changed.broadcast()
    }
}
