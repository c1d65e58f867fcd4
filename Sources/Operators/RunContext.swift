import Platform
import Synchronization

/// What a running procedure may ask of whoever runs it: whether anyone still wants the answer,
/// memory, random bits. Thread-safe.
package final class RunContext: Sendable {
    /// When the answer is of no more use, on the monotonic clock, in nanoseconds.
    package let deadlineNanoseconds: Int
    /// Nobody ends it: for tests and tools.
    package static let unlimited = RunContext()

    private let isEnded = Atomic<Bool>(false)
    private let ending: EndFlag
    private let memory: any MemoryBudget

    /// - Parameters:
    ///   - ending: set when all work of the service is to end.
    ///   - memory: what `reserve` asks.
    package init(
        deadlineNanoseconds: Int = .max, _ ending: EndFlag = EndFlag(),
        _ memory: any MemoryBudget = UnlimitedMemory.shared
    ) {
        self.deadlineNanoseconds = deadlineNanoseconds
        self.ending = ending
        self.memory = memory
    }

    /// Throws `.cancelled` when the deadline has passed, the client has left, or the service ends.
    /// Takes some nanoseconds: long work asks every few milliseconds.
    package func check() throws(OperatorError) {
        if isCancelled { throw .cancelled }
    }

    /// The same inside a loop: looks only where `index` is a multiple of `interval`.
    @inline(__always)
    package func check(every interval: Int, at index: Int) throws(OperatorError) {
        if index % interval == 0 { try check() }
    }

    package var isCancelled: Bool {
        isEnded.load(ordering: .acquiring) || ending.isSet
            || (deadlineNanoseconds < .max && MonotonicClock.tick() > deadlineNanoseconds)
    }

    /// Makes `check` throw from here on. Who sees that sees what was written before it, too.
    package func cancel() { isEnded.store(true, ordering: .releasing) }

    /// Sets memory aside that the work allocates beside its tensors. It is given back when the
    /// returned object goes.
    ///
    /// Errors: `.outOfMemory` where the service's byte budget has no room for it.
    package func reserve(byteCount: Int) throws(OperatorError) -> AnyObject {
        guard byteCount >= 0, let memory = memory.setAside(byteCount: byteCount) else {
            throw .outOfMemory(byteCount: byteCount)
        }
        return memory
    }

    /// 64 bits of the system's secure generator.
    package func randomBits() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

/// Where work gets leave to allocate.
package protocol MemoryBudget: AnyObject, Sendable {
    /// Counts so many bytes until the returned object goes; nil where there is no room for them.
    func setAside(byteCount: Int) -> AnyObject?
}

/// As much as is asked for: for tests and tools.
package final class UnlimitedMemory: MemoryBudget {
    package static let shared = UnlimitedMemory()

    package func setAside(byteCount: Int) -> AnyObject? { self }
}

/// A flag that is set once, for many.
package final class EndFlag: Sendable {
    private let value = Atomic<Bool>(false)

    package init() {}

    package func set() { value.store(true, ordering: .relaxed) }
    package var isSet: Bool { value.load(ordering: .relaxed) }
}
