import Operators
import Synchronization

/// Recycles large buffers, and keeps the sum of all that are in use under a budget.
///
/// A recycled buffer is twice as fast as a fresh one on 64 MB bodies: its pages are there already.
package final class BufferPool: BufferRecycler {
    package let budgetBytes: Int
    private let state = Mutex(State())

    private struct State {
        var inUseBytes = 0
        var idleBytes = 0
        /// Free blocks by the power of two of their size.
        var idle: [[IdleBlock]] = Array(repeating: [], count: 64)
    }

    private struct IdleBlock: @unchecked Sendable {
        let memory: UnsafeMutableRawPointer
    }

    package init(budgetBytes: Int) { self.budgetBytes = budgetBytes }

    deinit {
        state.withLock { state in
            for block in state.idle.joined() { block.memory.deallocate() }
        }
    }

    package var inUseBytes: Int { state.withLock { $0.inUseBytes } }

    /// Counts bytes against the budget for as long as it lives.
    package final class Reservation: Sendable {
        private let pool: BufferPool?
        private let byteCount: Int

        fileprivate init(_ pool: BufferPool?, _ byteCount: Int) {
            self.pool = pool
            self.byteCount = byteCount
        }

        deinit { pool?.state.withLock { $0.inUseBytes -= byteCount } }

        fileprivate static let nothing = Reservation(nil, 0)
    }

    /// Sets bytes aside for memory that others allocate; nil over the budget.
    package func reserve(byteCount: Int) -> Reservation? {
        if byteCount == 0 { return .nothing }
        return charge(byteCount, isForced: false) ? Reservation(self, byteCount) : nil
    }

    /// Whether a buffer and a reservation of these sizes fit when nothing else is in use; otherwise
    /// waiting will not help.
    package func canEverHold(byteCount: Int, beside reserved: Int) -> Bool {
        Self.capacity(byteCount) + reserved <= budgetBytes
    }

    /// A buffer of at least `byteCount` bytes for a request; nil over the budget.
    package func take(byteCount: Int) -> RawBuffer? {
        let capacity = Self.capacity(byteCount)
        return charge(capacity, isForced: false) ? make(capacity) : nil
    }

    /// A buffer for an answer. Answers may take a quarter more than the budget, so that bodies
    /// alone cannot keep them out; over that they are refused, although their work is done: memory
    /// that is not there cannot be given.
    ///
    /// - Parameter held: bytes that the same request holds meanwhile.
    package func takeForAnswer(byteCount: Int, beside held: Int) throws(ServiceError) -> RawBuffer {
        let limit = budgetBytes + budgetBytes / 4
        let capacity = Self.capacity(byteCount)
        guard capacity + held <= limit else {
            throw .answerTooLarge(byteCount: capacity, limit: max(0, limit - held))
        }
        let isCharged = state.withLock { state in
            if capacity > limit - state.inUseBytes { return false }
            state.inUseBytes += capacity
            return true
        }
        guard isCharged else { throw .overloaded(.bytes) }
        return make(capacity)
    }

    /// A buffer for work whose memory has been reserved: counted, never refused.
    package func takeAdmitted(byteCount: Int) -> RawBuffer {
        let capacity = Self.capacity(byteCount)
        _ = charge(capacity, isForced: true)
        return make(capacity)
    }

    package func recycle(_ memory: UnsafeMutableRawPointer, capacity: Int) {
        let isKept = state.withLock { state in
            state.inUseBytes -= capacity
            guard state.idleBytes + capacity <= Limits.idleBufferBytesMax else { return false }
            state.idleBytes += capacity
            state.idle[capacity.trailingZeroBitCount].append(IdleBlock(memory: memory))
            return true
        }
        if !isKept { memory.deallocate() }
    }

    private func charge(_ byteCount: Int, isForced: Bool) -> Bool {
        state.withLock { state in
            if !isForced && byteCount > budgetBytes - state.inUseBytes { return false }
            state.inUseBytes += byteCount
            return true
        }
    }

    private func make(_ capacity: Int) -> RawBuffer {
        let found = state.withLock { state -> IdleBlock? in
            guard let block = state.idle[capacity.trailingZeroBitCount].popLast() else {
                return nil
            }
            state.idleBytes -= capacity
            return block
        }
        let memory = found?.memory ?? .allocate(byteCount: capacity, alignment: 64)
        return RawBuffer(takingOwnershipOf: memory, capacity: capacity, recycler: self)
    }

    /// The next power of two, at least 4 KiB.
    private static func capacity(_ byteCount: Int) -> Int {
        precondition(byteCount >= 0 && byteCount <= 1 << 46)
        let wanted = max(byteCount, 4096)
        return 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
    }
}
