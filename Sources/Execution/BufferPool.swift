import Operators
import Platform

/// Recycles large buffers, and keeps the sum of all that are in use under a budget.
///
/// A recycled buffer is twice as fast as a fresh one on 64 MB bodies: its pages are there already.
package final class BufferPool: MemoryBudget {
    package let budgetBytes: Int
    private let state = Lock(State())

    private struct State {
        /// While this is not 0 the pool retains itself, so that buffers need not.
        var inUseBytes = 0
        var idleBytes = 0
        /// Of all buffers for which there was no room, and whose pages take time to come by.
        var missedBytes = 0
        /// Free blocks by the power of two of their size, the one that was used last at the end.
        var idle: [[IdleBlock]] = Array(repeating: [], count: 64)

        /// Returns what is not kept.
        mutating func keep(_ memory: UnsafeMutableRawPointer, _ capacity: Int) -> [IdleBlock] {
            let size = capacity.trailingZeroBitCount
            let limit = Limits.idleBufferBytesMax
            let excess = idleBytes + capacity - limit
            var dropped = excess > 0 ? drop(excess, below: size) : []
            if dropped == nil {
                let counts = capacity >= Limits.mappedBufferBytesMin && capacity <= limit
                if counts { missedBytes += capacity }
                dropped = dropStale(above: size).map { [$0] }
            }
            let block = IdleBlock(memory: memory, missedBytes: missedBytes)
            guard let dropped else { return [block] }
            idleBytes += capacity
            idle[size].append(block)
            return dropped
        }

        /// Some smaller blocks, the smallest first, of so many bytes or more; nil, and none, if
        /// there are not so many.
        private mutating func drop(_ byteCount: Int, below size: Int) -> [IdleBlock]? {
            let most = (0..<size).reduce(0) { $0 + idle[$1].count << $1 }
            guard most >= byteCount else { return nil }
            let wanted = idleBytes - byteCount
            var dropped: [IdleBlock] = []
            for smaller in 0..<size {
                while idleBytes > wanted, let block = idle[smaller].popLast() {
                    idleBytes -= 1 << smaller
                    dropped.append(block)
                }
            }
            return dropped
        }

        /// A larger block for whose sake more has been missed than it is itself.
        private mutating func dropStale(above size: Int) -> IdleBlock? {
            for larger in size + 1..<idle.count {
                guard let oldest = idle[larger].first,
                    missedBytes - oldest.missedBytes >= 1 << larger
                else { continue }
                idle[larger].removeFirst()
                idleBytes -= 1 << larger
                return oldest
            }
            return nil
        }
    }

    private struct IdleBlock: @unchecked Sendable {
        let memory: UnsafeMutableRawPointer
        /// Of the state, when it was last used.
        let missedBytes: Int
    }

    package init(budgetBytes: Int) { self.budgetBytes = budgetBytes }

    deinit {
        state.withLock { state in
            for block in state.idle.joined() { block.memory.deallocate() }
        }
    }

    /// False, and nothing, if the sum were over the limit. Under the lock.
    private func charge(_ byteCount: Int, _ state: inout State, limit: Int) -> Bool {
        if byteCount > limit - state.inUseBytes { return false }
        if state.inUseBytes == 0 { _ = Unmanaged.passRetained(self) }
        state.inUseBytes += byteCount
        return true
    }

    /// Takes them back. What `body` returns of the state comes from under the lock.
    private func uncharge<Result>(_ byteCount: Int, _ body: (inout State) -> Result) -> Result {
        let (result, isIdle) = withState { state in
            state.inUseBytes -= byteCount
            return (body(&state), state.inUseBytes == 0)
        }
        if isIdle { Unmanaged.passUnretained(self).release() }
        return result
    }

    private func withState<Result>(_ body: (inout State) -> Result) -> Result {
        state.withLock(body)
    }

    package var inUseBytes: Int { withState { $0.inUseBytes } }
    /// Of buffers that wait to be used again.
    var idleBytes: Int { withState { $0.idleBytes } }

    /// Counts bytes against the budget for as long as it lives.
    package final class Reservation: Sendable {
        private let pool: BufferPool?
        private let byteCount: Int

        fileprivate init(_ pool: BufferPool?, _ byteCount: Int) {
            self.pool = pool
            self.byteCount = byteCount
        }

        deinit { pool?.uncharge(byteCount) { _ in } }

        fileprivate static let nothing = Reservation(nil, 0)
    }

    /// Sets bytes aside for memory that others allocate; nil over the budget.
    package func reserve(byteCount: Int) -> Reservation? {
        if byteCount == 0 { return .nothing }
        let isCharged = withState { charge(byteCount, &$0, limit: budgetBytes) }
        return isCharged ? Reservation(self, byteCount) : nil
    }

    /// For work that knows no pools.
    package func setAside(byteCount: Int) -> AnyObject? { reserve(byteCount: byteCount) }

    /// Whether a buffer and a reservation of these sizes fit when nothing else is in use; otherwise
    /// waiting will not help.
    package func canEverHold(byteCount: Int, beside reserved: Int) -> Bool {
        Self.capacity(byteCount) + reserved <= budgetBytes
    }

    /// A buffer of at least `byteCount` bytes for a request; nil over the budget.
    package func take(byteCount: Int) -> RawBuffer? {
        make(Self.capacity(byteCount), limit: budgetBytes)
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
        guard let buffer = make(capacity, limit: limit) else { throw .overloaded(.bytes) }
        return buffer
    }

    /// A buffer for work whose memory has been reserved: counted, never refused.
    package func takeAdmitted(byteCount: Int) -> RawBuffer {
        guard let buffer = make(Self.capacity(byteCount), limit: .max) else {
            preconditionFailure("no sum of buffers is beyond all bounds")
        }
        return buffer
    }

    /// Kept if there is room, also instead of smaller ones: a large buffer's pages take longer to
    /// come by than all that is done with them. One that nobody uses makes room in the end.
    fileprivate func recycle(_ memory: UnsafeMutableRawPointer, capacity: Int) {
        let dropped = uncharge(capacity) { $0.keep(memory, capacity) }
        for block in dropped { block.memory.deallocate() }
    }

    /// A buffer, if all that is in use stays within `limit`.
    private func make(_ capacity: Int, limit: Int) -> RawBuffer? {
        let (isCharged, found) = withState { state -> (Bool, IdleBlock?) in
            guard charge(capacity, &state, limit: limit) else { return (false, nil) }
            let block = state.idle[capacity.trailingZeroBitCount].popLast()
            if block != nil { state.idleBytes -= capacity }
            return (true, block)
        }
        guard isCharged else { return nil }
        let memory = found?.memory ?? .allocate(byteCount: capacity, alignment: 64)
        return RawBuffer(takingOwnershipOf: memory, capacity: capacity, recycler: recycler)
    }

    private var recycler: BufferRecycler {
        BufferRecycler(owner: Unmanaged.passUnretained(self).toOpaque()) {
            owner, memory, capacity in
            Unmanaged<BufferPool>.fromOpaque(owner)._withUnsafeGuaranteedRef {
                $0.recycle(memory, capacity: capacity)
            }
        }
    }

    /// The next power of two, at least 4 KiB.
    private static func capacity(_ byteCount: Int) -> Int {
        precondition(byteCount >= 0 && byteCount <= 1 << 46)
        let wanted = max(byteCount, 4096)
        return 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
    }
}
