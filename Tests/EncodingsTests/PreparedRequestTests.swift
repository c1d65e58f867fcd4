import Execution
import Operators
import Testing

@testable import Encodings

/// Catches a prepared request that reads another body than it was prepared for, and what an
/// operator refuses slipping through.
@Suite struct PreparedRequestTests {
    private func decode(
        _ query: String, _ direction: Direction, byteCount: Int
    ) throws -> Invocation {
        try Decoding.raw(query, direction, Decoding.zeros(byteCount))
    }

    @Test("the next body of the same length is read like the first", arguments: [1, 3])
    func again(_ rows: Int) throws {
        for (direction, count) in [(Direction.forward, 1), (.vjp, 2), (.jvp, 2)] {
            let byteCount = 20 * rows * count
            let first = try decode("n=5&k=2&lambda=0.5", direction, byteCount: byteCount)
            let prepared = try #require(PreparedRequest(first, bodyBytes: byteCount))
            let body = Decoding.zeros(byteCount)
            for i in 0..<byteCount / 4 { DType.float32.store(Double(i), body.memory, at: i) }
            let next = try #require(prepared.invocation(body, nil))
            #expect(next.form === first.form && next.x.rowCount == rows)
            #expect(next.x.value(rows - 1, 4) == Double(5 * rows - 1))
            #expect((next.stack == nil) == (direction == .forward))
            #expect(next.stack.map { $0.rows.value(0, 0) == Double(5 * rows) } ?? true)
            #expect(prepared.invocation(Decoding.zeros(byteCount + 20 * count), nil) == nil)
        }
    }

    @Test("cotangents of matrices and several a row keep their shapes")
    func stacks() throws {
        let several = try decode("n=5&k=2&cotangents=3", .vjp, byteCount: 20 * 4)
        let prepared = try #require(PreparedRequest(several, bodyBytes: 80))
        let next = try #require(prepared.invocation(Decoding.zeros(80), nil))
        #expect(next.stack?.stackCount == 3 && next.stack?.rows.rowCount == 3)
        let query = "operator=soft_topk_sorted&shape=2,5&k=2"
        let sorted = try decode(query, .vjp, byteCount: 40 + 80)
        let matrices = try #require(PreparedRequest(sorted, bodyBytes: 120))
        #expect(matrices.invocation(Decoding.zeros(120), nil)?.stack?.rows.rowLength == 10)
    }

    @Test("bodies with more than x and its stack are read each time")
    func inputs() throws {
        let query = "operator=gaussian_k&shape=2,5&density=0.5&inputs=residual"
        let residual = try decode(query, .forward, byteCount: 80)
        #expect(PreparedRequest(residual, bodyBytes: 80) == nil)
    }

    @Test("what an operator refuses is refused each time, without its inputs and with them")
    func refused() throws {
        for _ in 0..<2 {
            #expect(throws: ServiceError.self) {
                try decode("n=5&k=2&p=1.5&solver=dykstra", .forward, byteCount: 20)
            }
            _ = try decode("n=5&k=2&p=2&solver=dykstra", .forward, byteCount: 20)
            // Both empty: the offsets 0 and 0 behind five numbers, and no columns.
            let query = "operator=top_kast&shape=5&inputs=forward_mask,backward_mask&dtype=float64"
            #expect(throws: ServiceError.self) {
                try decode(query, .forward, byteCount: 40 + 8 + 8)
            }
            _ = try decode(query + "&density_forward=0.5", .forward, byteCount: 40 + 8 + 8)
        }
    }
}
