import Execution
import Operators
import Testing

@testable import Encodings

/// Catches a body that is believed to be finite although nobody has looked at all of it, or at it
/// as what it is.
@Suite struct BodyObserverTests {
    private static let count = 40_000

    private func body(_ dtype: DType, bad: (index: Int, value: Double)? = nil) -> RawBuffer {
        let body = RawBuffer(capacity: Self.count * dtype.byteCount)
        for i in 0..<Self.count { dtype.store(Double(i % 100), body.memory, at: i) }
        if let bad { dtype.store(bad.value, body.memory, at: bad.index) }
        body.count = body.capacity
        return body
    }

    private func prepared(
        _ body: RawBuffer, _ query: String, _ direction: Direction = .forward
    ) throws -> PreparedRequest {
        let invocation = try Decoding.raw(query, direction, body)
        return try #require(PreparedRequest(invocation, bodyBytes: body.count))
    }

    private func observer(_ body: RawBuffer, _ query: String) throws -> BodyObserver {
        BodyObserver(
            body, byteCount: body.count, try prepared(body, query).form, Decoding.pool)
    }

    /// Pieces that end within numbers.
    private func arrive(_ body: RawBuffer, _ check: BodyObserver, upTo end: Int) {
        var count = 0
        for (i, piece) in [1, 4095, 7, 8192, 3].enumerated() where count < end {
            count = min(end, count + piece + i)
            check.arrived(byteCount: count)
        }
        while count < end {
            count = min(end, count + 4_097)
            check.arrived(byteCount: count)
        }
    }

    @Test("what is not finite is found wherever it lies", arguments: DType.allCases)
    func found(_ dtype: DType) throws {
        let query = "n=100&k=1&dtype=\(dtype.rawValue)"
        let good = body(dtype)
        let goodCheck = try observer(good, query)
        arrive(good, goodCheck, upTo: good.count)
        #expect(goodCheck.hasFoundFinite)
        for index in [0, 1, 1023, 1024, 2047, 4096, 9_999, 15_001, Self.count - 1] {
            for value in [Double.nan, .infinity, -.infinity] {
                let bad = body(dtype, bad: (index, value))
                let check = try observer(bad, query)
                arrive(bad, check, upTo: bad.count)
                #expect(!check.hasFoundFinite, "\(value) at \(index)")
            }
        }
    }

    @Test("only all of it")
    func whole() throws {
        let body = body(.float32)
        let early = try observer(body, "n=100&k=1")
        arrive(body, early, upTo: body.count - 1)
        #expect(!early.hasFoundFinite)
        early.arrived(byteCount: body.count)
        #expect(early.hasFoundFinite)
    }

    // A NaN that is written after the check is not seen again.
    @Test("numbers that are known to be finite are not read once more")
    func request() throws {
        let body = body(.float32)
        let prepared = try prepared(body, "n=100&k=1", .vjp)
        let observer = BodyObserver(
            body, byteCount: body.count, prepared.form, Decoding.pool)
        observer.arrived(byteCount: body.count)
        for index in [0, Self.count - 1] { DType.float32.store(.nan, body.memory, at: index) }
        for (arrival, isFinite) in [(observer, true), (nil, false)] {
            let invocation = try #require(prepared.invocation(body, arrival))
            let stack = try #require(invocation.stack)
            #expect(invocation.x.isFinite(0..<invocation.x.rowCount) == isFinite)
            #expect(stack.rows.isFinite(0..<stack.rows.rowCount) == isFinite)
        }
    }

    // The last of x's groups would lie in the cotangents, or not be looked at.
    @Test(
        "groups are looked at while they arrive, once, and not where another pass is needed",
        arguments: [
            ("&k=3", true), ("&k=3&operator=magnitude", true), ("&k=3&largest=false", false),
            ("&k=3&solver=pav", false), ("&k=2000", false), ("&k=3&dtype=float16", false),
        ])
    func groups(_ query: String, isUsed: Bool) throws {
        let dtype: DType = query.contains("float16") ? .float16 : .float32
        let body = body(dtype)
        for i in 0..<Self.count { dtype.store(Double(i % 20_000) / 100, body.memory, at: i) }
        let prepared = try prepared(body, "n=20000" + query, .vjp)
        let plain = try answer(try #require(prepared.invocation(body, nil)))
        let observer = BodyObserver(
            body, byteCount: body.count, prepared.form, Decoding.pool)
        arrive(body, observer, upTo: body.count)
        let invocation = try #require(prepared.invocation(body, observer))
        #expect(try answer(invocation) == plain)
        // Nobody looks again where nothing was found.
        dtype.store(1000, body.memory, at: 0)
        #expect((try answer(invocation) == plain) == isUsed)
    }

    private func answer(_ invocation: Invocation) throws -> [Int32] {
        let output = OperatorOutput()
        let form = invocation.form
        output.reset(
            dtype: form.dtype, rowLength: form.rowLength, rowCapacity: form.rowCount, form.outputs)
        let block = RowBlock(
            x: invocation.x, rows: 0..<form.rowCount, parameters: form.parameters,
            inputs: invocation.inputs)
        guard case .rows(let op, _) = form.procedure.work else { return [] }
        try op.run(.forward, block, nil, into: output, Workspace())
        return Array(output.answer.indices)
    }
}
