import Operators
import Platform

/// What one thread that computes owns: scratch memory that no other thread touches.
package final class Worker: @unchecked Sendable {
    package let workspace = Workspace()
    /// An encoding's own scratch, such as a parser; the encoding that finds another's replaces it.
    package var encodingScratch: AnyObject = NoScratch.shared
    private let outputs: OutputPool

    package init(outputs: OutputPool = OutputPool()) { self.outputs = outputs }

    func takeOutput() -> OperatorOutput { outputs.take() }

    func giveBack(_ output: OperatorOutput) {
        if output.capacityBytes <= 16 * Limits.blockElements { outputs.giveBack(output) }
    }

    /// After each job: scratch that only a huge request needs is not kept.
    func trim() { workspace.trim() }

    private final class NoScratch: Sendable {
        static let shared = NoScratch()
    }
}

/// Recycles the arrays that blocks are written to.
package final class OutputPool: Sendable {
    private let idle = Lock<[OperatorOutput]>([])
    private static let idleCountMax = 32

    package init() {}

    func take() -> OperatorOutput { idle.withLock { $0.popLast() } ?? OperatorOutput() }

    func giveBack(_ output: OperatorOutput) {
        idle.withLock { if $0.count < Self.idleCountMax { $0.append(output) } }
    }
}
