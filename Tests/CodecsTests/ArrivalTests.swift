import Inference
import Operators
import Testing

@testable import Codecs

/// Catches a body that is believed to be finite although nobody has looked at all of it, or at it
/// as what it is.
@Suite struct ArrivalTests {
    private static let count = 40_000

    private func body(_ dtype: DType, bad: (index: Int, value: Double)? = nil) -> RawBuffer {
        let body = RawBuffer(capacity: Self.count * dtype.byteCount)
        for i in 0..<Self.count { dtype.store(Double(i % 100), body.memory, at: i) }
        if let bad { dtype.store(bad.value, body.memory, at: bad.index) }
        body.count = body.capacity
        return body
    }

    private let pool = BufferPool(budgetBytes: 1 << 20)

    private func message(
        _ body: RawBuffer, _ query: String, _ direction: Direction = .forward
    ) throws -> Message {
        Message(direction: direction, body: body, query: try Query(query[...]))
    }

    private func check(_ body: RawBuffer, _ query: String) throws -> ArrivalCheck? {
        OctetStreamCodec.arrivalCheck(
            try message(body, query), byteCount: body.count, pool)
    }

    /// Pieces that end within numbers.
    private func arrive(_ body: RawBuffer, _ check: ArrivalCheck, upTo end: Int) {
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
        let goodCheck = try #require(try check(good, query))
        arrive(good, goodCheck, upTo: good.count)
        #expect(goodCheck.hasFoundFinite)
        for index in [0, 1, 1023, 1024, 2047, 4096, 9_999, 15_001, Self.count - 1] {
            for value in [Double.nan, .infinity, -.infinity] {
                let bad = body(dtype, bad: (index, value))
                let check = try #require(try check(bad, query))
                arrive(bad, check, upTo: bad.count)
                #expect(!check.hasFoundFinite, "\(value) at \(index)")
            }
        }
    }

    @Test("only all of it, and only as what it is")
    func whole() throws {
        let body = body(.float32)
        let early = try #require(try check(body, "n=100&k=1"))
        arrive(body, early, upTo: body.count - 1)
        #expect(!early.hasFoundFinite)
        early.arrived(byteCount: body.count)
        #expect(early.hasFoundFinite && early.isOf(body))
        #expect(!early.isOf(self.body(.float32)))
        #expect(try check(body, "n=100&k=1&inputs=residual") == nil)
        #expect(try check(body, "n=100&k=1&dtype=float99") == nil)
        body.count = Limits.arrivalCheckBytesMin - 1
        #expect(try check(body, "n=100&k=1") == nil)
    }

    // A NaN that is written after the check is not seen again.
    @Test("numbers that are known to be finite are not read once more")
    func request() throws {
        let body = body(.float32)
        var message = try message(body, "n=100&k=1", .vjp)
        let check = try #require(
            OctetStreamCodec.arrivalCheck(message, byteCount: body.count, pool))
        check.arrived(byteCount: body.count)
        for index in [0, Self.count - 1] { DType.float32.store(.nan, body.memory, at: index) }
        for (arrival, isFinite) in [(check, true), (nil, false)] {
            message.arrival = arrival
            let request = try OctetStreamCodec.decode(message, Worker(), pool)
            let stack = try #require(request.stack)
            #expect(request.x.isFinite(0..<request.x.rowCount) == isFinite)
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
        var message = try message(body, "n=20000" + query, .vjp)
        let decode = { (message: Message) throws in
            try OctetStreamCodec.decode(message, Worker(), self.pool)
        }
        let plain = try answer(try decode(message))
        let check = try #require(
            OctetStreamCodec.arrivalCheck(message, byteCount: body.count, pool))
        arrive(body, check, upTo: body.count)
        message.arrival = check
        let request = try decode(message)
        #expect(try answer(request) == plain)
        // Nobody looks again where nothing was found.
        dtype.store(1000, body.memory, at: 0)
        #expect((try answer(request) == plain) == isUsed)
    }

    private func answer(_ request: InferenceRequest) throws -> [Int32] {
        let output = OperatorOutput()
        let form = request.form
        output.reset(
            dtype: form.dtype, rowLength: form.rowLength, rowCapacity: form.rowCount, form.outputs)
        let block = RowBlock(
            x: request.x, rows: 0..<form.rowCount, parameters: form.parameters,
            inputs: request.inputs)
        try form.op.run(.forward, block, nil, into: output, Workspace())
        return Array(output.answer.indices)
    }
}
