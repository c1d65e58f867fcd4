import Fixtures
import Foundation
import Inference
import Operators
import Testing

@testable import Codecs

/// Catches a plan that outlives its request: another length, direction or query that gets the
/// parameters of the one before.
@Suite struct PlanTests {
    private func decode(
        _ text: String, _ direction: Direction, byteCount: Int
    ) throws -> InferenceRequest {
        let body = RawBuffer(capacity: byteCount)
        body.memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        body.count = byteCount
        return try OctetStreamCodec.decode(
            Message(direction: direction, body: body, query: try Query(text[...])),
            Worker(), BufferPool(budgetBytes: 1 << 20))
    }

    @Test("what is remembered of a query is what it says, for each length and direction")
    func remembered() throws {
        for _ in 0..<2 {
            for rows in [1, 3] {
                let request = try decode("n=5&k=2&lambda=0.5", .forward, byteCount: 20 * rows)
                #expect(request.x.rowCount == rows && request.stack == nil)
                #expect(request.parameters.value(named: "k")?.integers == [2])
                #expect(request.parameters.value(named: "lambda")?.numbers == [0.5])
                let vjp = try decode("n=5&k=2&lambda=0.5", .vjp, byteCount: 40 * rows)
                #expect(vjp.x.rowCount == rows && vjp.form.stackCount == 1)
            }
            let other = try decode("n=5&k=3&lambda=0.5", .forward, byteCount: 20)
            #expect(other.parameters.value(named: "k")?.integers == [3])
            let doubles = try decode("n=5&k=2&dtype=float64", .forward, byteCount: 40)
            #expect(doubles.x.rowCount == 1 && doubles.x.dtype == .float64)
        }
        #expect(throws: ServiceError.self) {
            try decode("n=5&k=2&lambda=0.5", .forward, byteCount: 21)
        }
        #expect(throws: ServiceError.self) {
            try decode("n=5&k=1,2&lambda=0.5", .forward, byteCount: 60)
        }
    }

    // Catches: answers that are kept for a form which no later request has.
    @Test("a form is shared by the requests of a plan that is kept, and by no others")
    func shared() throws {
        let (first, second) = (
            try decode("n=5&k=4&lambda=0.5", .forward, byteCount: 20).form,
            try decode("n=5&k=4&lambda=0.5", .forward, byteCount: 20).form
        )
        #expect(first === second && first.isShared)
        let long = "n=5&k=4&lambda=0.5" + String(repeating: "0", count: 600)
        let one = try decode(long, .forward, byteCount: 20).form
        #expect(try decode(long, .forward, byteCount: 20).form !== one && !one.isShared)
    }

    @Test("what an operator refuses is refused each time, without its inputs and with them")
    func refused() throws {
        for _ in 0..<2 {
            let early = try decode("n=5&k=2&p=1.5&solver=dykstra", .forward, byteCount: 20)
            #expect(throws: OperatorError.self) { try early.check() }
            let fine = try decode("n=5&k=2&p=2&solver=dykstra", .forward, byteCount: 20)
            try fine.check()
            // Both empty: the offsets 0 and 0 behind five numbers, and no columns.
            let query = "operator=top_kast&shape=5&inputs=forward_mask,backward_mask&dtype=float64"
            let masks = try decode(query, .forward, byteCount: 40 + 8 + 8)
            #expect(throws: OperatorError.self) { try masks.check() }
            try decode(query + "&density_forward=0.5", .forward, byteCount: 40 + 8 + 8).check()
        }
    }

    @Test("many queries at once do not mix")
    func many() throws {
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for i in 0..<200 {
                let k = (thread * 31 + i * 7) % 90 + 1
                let request = try? decode("n=100&k=\(k)", .forward, byteCount: 400)
                #expect(request?.parameters.value(named: "k")?.integers == [k])
            }
        }
    }
}
