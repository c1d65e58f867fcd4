import Testing

@testable import Operators

/// Catches groups that are cut elsewhere, looked at too early, or left out, because a row came in
/// pieces: the bound that their maxima give would be above numbers that matter.
@Suite struct EarlyMaximaTests {
    private static let lengths = [1024, 1030, 4096, 4111, 70_000, 70_015]

    @Test(
        "maxima of groups are the same whatever pieces rows arrive in",
        arguments: lengths, [1, 4096, 131_072])
    func pieces(_ n: Int, _ pieceBytes: Int) throws {
        try check(n, pieceBytes, .float32, Float.self)
        try check(n, pieceBytes, .float64, Double.self)
    }

    private func check<S: KernelScalar>(
        _ n: Int, _ pieceBytes: Int, _ dtype: DType, _ type: S.Type
    ) throws {
        let rowCount = 3
        let x = RawBuffer(capacity: rowCount * n * dtype.byteCount)
        let numbers = x.memory.assumingMemoryBound(to: S.self)
        for isAbsolute in [false, true] {
            for i in 0..<rowCount * n { numbers[i] = .nan }
            let early = try #require(
                EarlyMaxima(
                    Selecting(k: 1, isAbsolute: isAbsolute), x, dtype: dtype,
                    BatchShape(rowCount: rowCount, rowLength: n)
                ) { RawBuffer(capacity: $0) })
            let height = try #require(Selection.height(rowLength: n, k: 1))
            let count = Selection.groupCount(rowLength: n, height: height)
            var byteCount = 0
            while byteCount < x.capacity {
                let before = byteCount
                byteCount = min(
                    x.capacity, byteCount + (n > 5000 ? max(97, pieceBytes) : pieceBytes))
                // Not before it is all there.
                for i in before / dtype.byteCount..<byteCount / dtype.byteCount {
                    numbers[i] = S(i * 7919 % 4093) - 2000
                }
                early.arrived(byteCount: byteCount)
            }
            for row in 0..<rowCount {
                let found = try #require(
                    early.maxima(row, height: height, isAbsolute: isAbsolute, S.self))
                var whole = [S](repeating: 0, count: count)
                #expect(
                    S.groupMaxima(
                        numbers + row * n, count: n, height: height, isAbsolute: isAbsolute,
                        &whole) == count)
                #expect(Array(UnsafeBufferPointer(start: found, count: count)) == whole)
                #expect(
                    early.maxima(row, height: height + 1, isAbsolute: isAbsolute, S.self) == nil)
                #expect(
                    early.maxima(row, height: height, isAbsolute: !isAbsolute, S.self) == nil)
            }
        }
    }

    @Test("a row is not said to be known before its last number is")
    func unfinished() throws {
        let n = 1030
        let x = DenseRows(
            [[Float](repeating: 1, count: n), [Float](repeating: 1, count: n)],
            dtype: .float32)
        let early = try #require(
            EarlyMaxima(Selecting(k: 1, isAbsolute: false), x.storage, dtype: .float32, x.shape) {
                RawBuffer(capacity: $0)
            })
        let height = try #require(Selection.height(rowLength: n, k: 1))
        early.arrived(byteCount: 4 * (2 * n) - 1)
        #expect(early.maxima(0, height: height, isAbsolute: false, Float.self) != nil)
        #expect(early.maxima(1, height: height, isAbsolute: false, Float.self) == nil)
    }

    @Test("nobody looks where there is no use, no room or another type")
    func unused() {
        let x = RawBuffer(capacity: 8 * 70_000)
        let room = { RawBuffer(capacity: $0) }
        let shape = BatchShape(rowCount: 1, rowLength: 70_000)
        let selecting = Selecting(k: 1, isAbsolute: false)
        #expect(EarlyMaxima(selecting, x, dtype: .float32, shape, room: room) != nil)
        #expect(EarlyMaxima(selecting, x, dtype: .float16, shape, room: room) == nil)
        #expect(EarlyMaxima(selecting, x, dtype: .float32, shape) { _ in nil } == nil)
        for k in [100, 40_000] {
            let many = Selecting(k: k, isAbsolute: false)
            #expect(EarlyMaxima(many, x, dtype: .float32, shape, room: room) == nil)
        }
    }
}
