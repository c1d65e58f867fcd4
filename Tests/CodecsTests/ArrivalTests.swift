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

    private func check(_ body: RawBuffer, _ query: String) throws -> ArrivalCheck? {
        OctetStreamCodec().arrivalCheck(
            try Query(query[...]), body, byteCount: body.count)
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
        #expect(goodCheck.hasFound(finite: dtype, good))
        for index in [0, 1, 1023, 1024, 2047, 4096, 9_999, 15_001, Self.count - 1] {
            for value in [Double.nan, .infinity, -.infinity] {
                let bad = body(dtype, bad: (index, value))
                let check = try #require(try check(bad, query))
                arrive(bad, check, upTo: bad.count)
                #expect(!check.hasFound(finite: dtype, bad), "\(value) at \(index)")
            }
        }
    }

    @Test("only all of it, and only as what it is")
    func whole() throws {
        let body = body(.float32)
        let early = try #require(try check(body, "n=100&k=1"))
        arrive(body, early, upTo: body.count - 1)
        #expect(!early.hasFound(finite: .float32, body))
        early.arrived(byteCount: body.count)
        #expect(early.hasFound(finite: .float32, body))
        #expect(!early.hasFound(finite: .float64, body) && !early.hasFound(finite: .float16, body))
        #expect(!early.hasFound(finite: .float32, self.body(.float32)))
        #expect(try check(body, "n=100&k=1&inputs=residual") == nil)
        #expect(try check(body, "n=100&k=1&dtype=float99") == nil)
        body.count = Limits.arrivalCheckBytesMin - 1
        #expect(try check(body, "n=100&k=1") == nil)
    }

    // A NaN that is written after the check is not seen again.
    @Test("numbers that are known to be finite are not read once more")
    func request() throws {
        let body = body(.float32)
        let query = try Query("n=100&k=1")
        let check = try #require(try check(body, "n=100&k=1"))
        check.arrived(byteCount: body.count)
        for index in [0, Self.count - 1] { DType.float32.store(.nan, body.memory, at: index) }
        for (arrival, isFinite) in [(check, true), (nil, false)] {
            let request = try OctetStreamCodec().decode(
                Message(direction: .vjp, body: body, query: query, arrival: arrival), Worker(),
                BufferPool(budgetBytes: 1 << 20))
            let stack = try #require(request.stack)
            #expect(request.x.isFinite(0..<request.x.rowCount) == isFinite)
            #expect(stack.rows.isFinite(0..<stack.rows.rowCount) == isFinite)
        }
    }
}
