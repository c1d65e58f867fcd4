import Fixtures
import Glibc
import Operators
import Synchronization
import Testing

@testable import Inference

/// Catches lost, doubled or unbounded work in the pool.
@Suite struct WorkerPoolTests {
    /// A call whose decode waits until it is let go.
    private final class Gated: Call {
        let isOpen = Atomic<Bool>(false)
        let results = Atomic<Int>(0)
        let failures = Atomic<Int>(0)
        let abandonments = Atomic<Int>(0)
        let deliveries = Atomic<Int>(0)
        /// Deliveries when nobody held x any more.
        let lightDeliveries = Atomic<Int>(0)
        private let memory = Memory()
        let rowCount: Int
        let deadlineNanoseconds: Int
        let isAbandoned: Bool
        var cancellation: Cancellation { .never }

        init(rowCount: Int = 1, deadlineNanoseconds: Int = .max, isAbandoned: Bool = false) {
            self.rowCount = rowCount
            self.deadlineNanoseconds = deadlineNanoseconds
            self.isAbandoned = isAbandoned
        }

        /// Written by the worker that decodes, read by the one that delivers.
        private final class Memory: @unchecked Sendable {
            weak var x: RawBuffer?
        }

        func abandon() { abandonments.add(1, ordering: .relaxed) }

        func decode(_ worker: Worker) throws(ServiceError) -> InferenceRequest {
            while !isOpen.load(ordering: .acquiring) { usleep(1000) }
            if rowCount == 0 { throw .missingParameter(name: "x", expected: "") }
            let op = Registry.all[0]
            let row = [Double](repeating: 1, count: 1000)
            let x = DenseRows([[Double]](repeating: row, count: rowCount), dtype: .float32)
            memory.x = x.storage
            let form = RequestForm(
                op: op, direction: .forward, dtype: .float32, rowCount: rowCount,
                rowLength: row.count, isSingleRow: false,
                parameters: Compute.parameters(op, k: [1]),
                layout: .init(format: .csr, indexDType: .int32))
            return InferenceRequest(form, x: x, stack: nil)
        }

        func succeed(_ result: borrowing InferenceResult, _ timings: Timings) {
            if result.answer.rowCount == rowCount { results.add(1, ordering: .relaxed) }
        }

        func fail(_ error: ServiceError, _ request: InferenceRequest?, _ timings: Timings) {
            failures.add(1, ordering: .relaxed)
        }

        func deliver() {
            deliveries.add(1, ordering: .relaxed)
            if memory.x == nil { lightDeliveries.add(1, ordering: .relaxed) }
        }
    }

    private func deadline(seconds: Int) -> Int { monotonicNanoseconds() + seconds * 1_000_000_000 }

    @Test("the queue refuses the request that exceeds it, and counts what waits")
    func bound() throws {
        let pool = WorkerPool(workerCount: 1, queueDepthMax: 2)
        pool.start()
        defer { pool.stop() }
        let gate = Gated()
        try pool.reserve().submit(gate)
        while pool.busyWorkers == 0 { usleep(1000) }
        try pool.reserve().submit(gate)
        try pool.reserve().submit(gate)
        #expect(pool.queueDepth == 2 && pool.unfinished == 3)
        do {
            _ = try pool.reserve()
            Issue.record("a third request waits in a queue of two")
        } catch {
            #expect(error == .overloaded(.queue))
        }
        gate.isOpen.store(true, ordering: .releasing)
        #expect(pool.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 10)))
        #expect(gate.results.load(ordering: .relaxed) == 3 && pool.queueDepth == 0)
    }

    @Test("jobs of one block and of many are each finished once, also when decoding fails")
    func finishedOnce() throws {
        let pool = WorkerPool(workerCount: 4, queueDepthMax: 1000)
        pool.start()
        defer { pool.stop() }
        let calls = (0..<60).map { Gated(rowCount: [0, 1, 140, 300][$0 % 4]) }
        for call in calls {
            call.isOpen.store(true, ordering: .releasing)
            try pool.reserve().submit(call)
        }
        #expect(pool.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 600)))
        for call in calls {
            #expect(call.results.load(ordering: .relaxed) == (call.rowCount == 0 ? 0 : 1))
            #expect(call.failures.load(ordering: .relaxed) == (call.rowCount == 0 ? 1 : 0))
            // A client that has its answer finds room for its next request.
            #expect(call.deliveries.load(ordering: .relaxed) == 1)
            #expect(call.lightDeliveries.load(ordering: .relaxed) == 1)
        }
        #expect(pool.unfinished == 0)
    }

    @Test("a closed pool refuses, and a deadline that passes is reported")
    func closing() throws {
        let pool = WorkerPool(workerCount: 1, queueDepthMax: 10)
        pool.start()
        let gate = Gated()
        try pool.reserve().submit(gate)
        pool.close()
        do {
            _ = try pool.reserve()
            Issue.record("a closed pool takes requests")
        } catch {
            #expect(error == .draining)
        }
        #expect(!pool.waitUntilIdle(deadlineNanoseconds: monotonicNanoseconds() + 20_000_000))
        gate.isOpen.store(true, ordering: .releasing)
        #expect(pool.waitUntilIdle(deadlineNanoseconds: deadline(seconds: 10)))
        pool.stop()
    }
}
