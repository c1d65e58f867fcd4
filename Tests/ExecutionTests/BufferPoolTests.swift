import Operators
import Testing

@testable import Execution

/// Catches memory that is promised twice, or never given back.
@Suite struct BufferPoolTests {
    @Test("the budget is kept, and freed with the last reference")
    func budget() {
        let pool = BufferPool(budgetBytes: 16_384)
        var first = pool.take(byteCount: 5000)
        #expect(first?.capacity == 8192 && pool.inUseBytes == 8192)
        let second = pool.take(byteCount: 8192)
        #expect(second != nil && pool.take(byteCount: 1) == nil)
        first = nil
        #expect(pool.inUseBytes == 8192)
        #expect(pool.take(byteCount: 4096) != nil)
    }

    @Test("a recycled buffer is the same memory")
    func recycling() {
        let pool = BufferPool(budgetBytes: 1 << 20)
        let first = pool.take(byteCount: 100_000)?.memory
        #expect(pool.inUseBytes == 0)
        #expect(pool.take(byteCount: 100_000)?.memory == first)
    }

    // One small buffer that had come back first made every second large one a fresh one.
    @Test("large buffers are kept instead of smaller ones, and no more than the limit")
    func preference() {
        let pool = BufferPool(budgetBytes: 1 << 40)
        let half = Limits.idleBufferBytesMax / 2
        var small = (0..<3).map { _ in pool.take(byteCount: 4096) }
        var large = (0..<3).map { _ in pool.take(byteCount: half) }
        let places = large.map { $0?.memory }
        small = []
        #expect(pool.idleBytes == 3 * 4096)
        large[0] = nil
        #expect(pool.idleBytes == half + 3 * 4096)
        large[1] = nil
        #expect(pool.idleBytes == 2 * half)
        large[2] = nil
        #expect(pool.idleBytes == 2 * half && pool.inUseBytes == 0)
        large = (0..<2).map { _ in pool.take(byteCount: half) }
        #expect(Set(large.map { $0?.memory }) == Set(places.prefix(2)) && pool.idleBytes == 0)
        small = [pool.take(byteCount: 4096)]
        #expect(small[0] != nil)
    }

    // Those of a client that had left kept all others' from being recycled, for ever.
    @Test("large buffers that nobody uses make room for smaller ones in the end")
    func ageing() {
        let pool = BufferPool(budgetBytes: 1 << 40)
        let half = Limits.idleBufferBytesMax / 2
        do { _ = [pool.take(byteCount: half), pool.take(byteCount: half)] }
        #expect(pool.idleBytes == 2 * half)
        let byteCount = 4 << 20
        for missed in 1..<half / byteCount {
            _ = pool.take(byteCount: byteCount)
            #expect(pool.idleBytes == 2 * half, "after \(missed)")
        }
        _ = pool.take(byteCount: byteCount)
        #expect(pool.idleBytes == half + byteCount)
        // Small ones are cheap: nothing is given up for them.
        do { _ = pool.take(byteCount: half) }
        for _ in 0..<100_000 { _ = pool.take(byteCount: 4096) }
        #expect(pool.idleBytes >= half)
    }

    @Test("a reservation counts while it lives, and admitted buffers are never refused")
    func reservation() {
        let pool = BufferPool(budgetBytes: 10_000)
        do {
            let reservation = pool.reserve(byteCount: 9_000)
            #expect(reservation != nil && pool.reserve(byteCount: 2_000) == nil)
            withExtendedLifetime(reservation) {
                let admitted = pool.takeAdmitted(byteCount: 4096)
                #expect(pool.inUseBytes == 13_096 && admitted.capacity == 4096)
            }
        }
        #expect(pool.inUseBytes == 0)
        #expect(pool.reserve(byteCount: 10_001) == nil)
    }
}
