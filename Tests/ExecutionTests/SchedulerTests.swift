import Fixtures
import Glibc
import Operators
import Platform
import Synchronization
import Testing

@testable import Execution

/// A call whose decoding waits until it is let go, and which computes rows of ones.
final class GatedCall: Call {
    let isOpen = Atomic<Bool>(false)
    let results = Atomic<Int>(0)
    let failures = Atomic<Int>(0)
    let abandonments = Atomic<Int>(0)
    let deliveries = Atomic<Int>(0)
    /// Deliveries when nobody held x any more.
    let lightDeliveries = Atomic<Int>(0)
    private let memory = Memory()
    private let departed = Atomic<Int>(0)
    let rowCount: Int
    let peer: Peer
    let deadlineNanoseconds: Int
    private let search: Search?
    /// Called when it has been answered.
    private let whenDone: @Sendable () -> Void

    /// - Parameter search: what it does instead of computing rows.
    init(
        rowCount: Int = 1, peer: UInt64 = 0, deadlineNanoseconds: Int = .max,
        search: Search? = nil, whenDone: @escaping @Sendable () -> Void = {}
    ) {
        self.rowCount = rowCount
        self.peer = Peer(peer)
        self.deadlineNanoseconds = deadlineNanoseconds
        self.search = search
        self.whenDone = whenDone
    }

    /// Written by the worker that decodes, read by the one that delivers.
    private final class Memory: @unchecked Sendable {
        weak var x: RawBuffer?
    }

    /// Work that ends when it is told to, or when nobody wants it any more.
    final class Search: DocumentWork {
        let isOver = Atomic<Bool>(false)
        let hasBegun = Atomic<Bool>(false)

        func lane(_ parameters: ParameterValues) -> Lane { .search }

        func run(
            _ parameters: ParameterValues, _ inputs: [InputTensor?], _ context: RunContext
        ) throws(OperatorError) -> Document {
            hasBegun.store(true, ordering: .releasing)
            while !isOver.load(ordering: .acquiring) {
                try context.check()
                usleep(1000)
            }
            return .null
        }
    }

    func open() { isOpen.store(true, ordering: .releasing) }
    func leave(_ departure: Departure) {
        departed.store(departure == .gone ? 2 : 1, ordering: .relaxed)
    }
    var departure: Departure {
        [.none, .halfClosed, .gone][departed.load(ordering: .relaxed)]
    }

    func abandon(_ stage: Stage, _ timings: Timings) { abandonments.add(1, ordering: .relaxed) }

    func decode(_ worker: Worker) throws(ServiceError) -> Invocation {
        while !isOpen.load(ordering: .acquiring) { usleep(1000) }
        if rowCount == 0 { throw .missingParameter(name: "x", expected: "") }
        let layout = AnswerLayout(format: .csr, indexDType: .int32)
        var draft = InvocationForm.Draft(dtype: .float32, layout: layout)
        if let search {
            let procedure = Procedure(
                operatorName: "search", name: "run", route: "/search", inputs: [], parameters: [],
                work: .document(search))
            return Invocation(
                InvocationForm(procedure, ParameterValues([], []), draft), x: .none, stack: nil,
                inputs: [])
        }
        let op = Registry.all[0]
        let row = [Double](repeating: 1, count: 1000)
        let x = DenseRows([[Double]](repeating: row, count: rowCount), dtype: .float32)
        memory.x = x.storage
        (draft.rowCount, draft.rowLength) = (rowCount, row.count)
        let form = InvocationForm(op.procedures[0], Compute.parameters(op, k: [1]), draft)
        return Invocation(form, x: x, stack: nil, inputs: form.noInputs)
    }

    func succeed(_ result: borrowing InvocationResult, _ timings: Timings) {
        let isWhole = search != nil || result.answer.rowCount == rowCount
        if isWhole { results.add(1, ordering: .relaxed) }
    }

    func fail(_ error: ServiceError, _ form: InvocationForm?, _ timings: Timings) {
        failures.add(1, ordering: .relaxed)
    }

    func deliver() {
        deliveries.add(1, ordering: .relaxed)
        if memory.x == nil { lightDeliveries.add(1, ordering: .relaxed) }
        whenDone()
    }
}

/// Catches lost, doubled or unbounded work in the scheduler.
@Suite struct SchedulerTests {
    private func scheduler(_ workers: Int, queue: Int = 10) -> Scheduler {
        Scheduler(
            workerCount: workers, queueDepthMax: queue, BufferPool(budgetBytes: 1 << 30))
    }

    private func submit(_ call: GatedCall, to scheduler: Scheduler) throws {
        try scheduler.admit(call, isSmall: false)?.submit()
    }

    private func deadline(seconds: Int) -> Int { MonotonicClock.now() + seconds * 1_000_000_000 }

    @Test("the queue refuses the request that exceeds it, and counts what waits")
    func bound() throws {
        let scheduler = scheduler(1, queue: 2)
        scheduler.start()
        defer { scheduler.stop() }
        let gate = (0..<3).map { _ in GatedCall() }
        try submit(gate[0], to: scheduler)
        while scheduler.busyWorkers == 0 { usleep(1000) }
        try submit(gate[1], to: scheduler)
        try submit(gate[2], to: scheduler)
        #expect(scheduler.queueDepth == 2 && scheduler.unfinished == 3)
        do {
            _ = try scheduler.admit(GatedCall(), isSmall: false)
            Issue.record("a third request waits in a queue of two")
        } catch {
            #expect(error == .overloaded(.queue))
        }
        for call in gate { call.open() }
        #expect(scheduler.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 100)))
        #expect(gate.allSatisfy { $0.results.load(ordering: .relaxed) == 1 })
        #expect(scheduler.queueDepth == 0)
    }

    @Test("jobs of one block and of many are each finished once, also when decoding fails")
    func finishedOnce() throws {
        let scheduler = scheduler(4, queue: 1000)
        scheduler.start()
        defer { scheduler.stop() }
        let calls = (0..<60).map {
            GatedCall(rowCount: [0, 1, 140, 300][$0 % 4], peer: UInt64($0 % 3))
        }
        for call in calls {
            call.open()
            try submit(call, to: scheduler)
        }
        #expect(scheduler.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 600)))
        for call in calls {
            #expect(call.results.load(ordering: .relaxed) == (call.rowCount == 0 ? 0 : 1))
            #expect(call.failures.load(ordering: .relaxed) == (call.rowCount == 0 ? 1 : 0))
            // A client that has its answer finds room for its next request.
            #expect(call.deliveries.load(ordering: .relaxed) == 1)
            #expect(call.lightDeliveries.load(ordering: .relaxed) == 1)
        }
        #expect(scheduler.unfinished == 0)
    }

    @Test("a closed scheduler refuses, and a deadline that passes is reported")
    func closing() throws {
        let scheduler = scheduler(1)
        scheduler.start()
        let gate = GatedCall()
        try submit(gate, to: scheduler)
        scheduler.close()
        do {
            _ = try scheduler.admit(GatedCall(), isSmall: true)
            Issue.record("a closed scheduler takes requests")
        } catch {
            #expect(error == .draining)
        }
        #expect(!scheduler.waitUntilIdle(deadlineNanoseconds: MonotonicClock.now() + 20_000_000))
        gate.open()
        #expect(scheduler.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 100)))
        scheduler.stop()
    }

    // Catches: a client that floods the queue has all turns until it is empty.
    @Test("peers take turns, however many requests one of them has sent")
    func turns() throws {
        let scheduler = scheduler(1, queue: 100)
        scheduler.start()
        defer { scheduler.stop() }
        let order = Lock<[UInt64]>([])
        let gate = GatedCall()
        try submit(gate, to: scheduler)
        while scheduler.busyWorkers == 0 { usleep(1000) }
        for peer: UInt64 in [1, 1, 1, 1, 1, 1, 2, 3] {
            let call = GatedCall(peer: peer) { order.withLock { $0.append(peer) } }
            call.open()
            try submit(call, to: scheduler)
        }
        gate.open()
        #expect(scheduler.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 100)))
        #expect(order.withLock { $0 } == [1, 2, 3, 1, 1, 1, 1, 1])
    }

    // Catches: a peer that waits until the last block of another's long job, and jobs of one peer
    // that are all computed at once and so are all late.
    @Test("a long job is left for another peer's, and not for its own peer's", arguments: [2, 1])
    func blocks(_ other: UInt64) throws {
        let scheduler = scheduler(1, queue: 100)
        scheduler.start()
        defer { scheduler.stop() }
        let order = Lock<[Int]>([])
        // Of 65 rows a block: 62 and 3 blocks.
        let calls = [(4_000, UInt64(1)), (140, other)].map { rowCount, peer in
            GatedCall(rowCount: rowCount, peer: peer) { order.withLock { $0.append(rowCount) } }
        }
        let gate = GatedCall(peer: 3)
        for call in [gate] + calls { try submit(call, to: scheduler) }
        for call in calls + [gate] { call.open() }
        #expect(scheduler.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 100)))
        #expect(order.withLock { $0 } == (other == 1 ? [4_000, 140] : [140, 4_000]))
    }

    // Catches: quick work that waits behind searches, be there ever so few workers.
    @Test("searches keep no worker from quick work", arguments: [1, 2])
    func lanes(_ workers: Int) throws {
        let scheduler = scheduler(workers, queue: 100)
        scheduler.start()
        defer { scheduler.stop() }
        let searches = (0..<workers + 2).map { _ in GatedCall.Search() }
        let calls = searches.map { GatedCall(search: $0) }
        for call in calls {
            call.open()
            try submit(call, to: scheduler)
        }
        let begun = { searches.filter { $0.hasBegun.load(ordering: .acquiring) }.count }
        let end = deadline(seconds: 200)
        while begun() < workers && MonotonicClock.now() < end { usleep(1000) }
        let quick = GatedCall(rowCount: 300)
        quick.open()
        try submit(quick, to: scheduler)
        while quick.results.load(ordering: .relaxed) == 0 && MonotonicClock.now() < end {
            usleep(1000)
        }
        #expect(quick.results.load(ordering: .relaxed) == 1)
        #expect(begun() == workers)
        for search in searches { search.isOver.store(true, ordering: .releasing) }
        #expect(scheduler.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 100)))
        #expect(calls.allSatisfy { $0.results.load(ordering: .relaxed) == 1 })
    }

    // Catches: a search that holds its thread, or its place in the queue, for nobody.
    @Test("a search ends with its client or its deadline, running or waiting, and rows do not")
    func departures() throws {
        let scheduler = scheduler(1, queue: 100)
        scheduler.start()
        defer { scheduler.stop() }
        let running = GatedCall.Search()
        let first = GatedCall(search: running)
        let waiting = GatedCall(search: GatedCall.Search())
        let late = GatedCall(
            deadlineNanoseconds: MonotonicClock.now() + 300_000_000, search: GatedCall.Search())
        for call in [first, waiting, late] {
            call.open()
            try submit(call, to: scheduler)
        }
        while !running.hasBegun.load(ordering: .acquiring) { usleep(1000) }
        waiting.leave(.halfClosed)
        let end = deadline(seconds: 100)
        while late.deliveries.load(ordering: .relaxed) == 0 && MonotonicClock.now() < end {
            usleep(1000)
        }
        #expect(waiting.abandonments.load(ordering: .relaxed) == 1)
        #expect(late.failures.load(ordering: .relaxed) == 1)
        #expect(first.deliveries.load(ordering: .relaxed) == 0)
        first.leave(.halfClosed)
        #expect(scheduler.waitUntilIdle(deadlineNanoseconds: end))
        #expect(first.abandonments.load(ordering: .relaxed) == 1)
        // Who only half-closed may still read.
        for (departure, isAnswered) in [(Departure.halfClosed, true), (.gone, false)] {
            let rows = GatedCall()
            rows.leave(departure)
            rows.open()
            let other = self.scheduler(1)
            other.start()
            defer { other.stop() }
            try submit(rows, to: other)
            #expect(other.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 100)))
            #expect(rows.results.load(ordering: .relaxed) == (isAnswered ? 1 : 0))
            #expect(rows.abandonments.load(ordering: .relaxed) == (isAnswered ? 0 : 1))
        }
    }
}
