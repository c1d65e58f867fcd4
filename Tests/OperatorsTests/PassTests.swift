import Fixtures
import Testing

@testable import Operators

/// Catches a schedule of passes that stalls: Newton that creeps along a kink, a bracket of which
/// only one end moves, a bisection in the wrong measure. The proof is in ThresholdSolver.swift.
@Suite struct PassTests {
    /// The most passes seen for one row, and some room.
    private static func passesMax(p: Double) -> Int { p == 2 ? 25 : p < 2 ? 50 : 120 }

    @Test(
        "hard rows take few passes", arguments: ["mask", "magnitude"], [2, 4.0 / 3, 1.1, 3, 12])
    func fewPasses(_ name: String, _ p: Double) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 5)
        let workspace = Workspace()
        let scratch = workspace.scratch(SparseTopKScratch.self)
        for _ in 0..<2000 {
            let kind = Int.random(in: 0..<HostileRow.kindCount, using: &random)
            let n = Int.random(in: 2...700, using: &random)
            let x = HostileRow.make(kind, n, &random)
            if x.contains(where: { !$0.isFinite }) { continue }
            let k = Int.random(in: 1..<n, using: &random)
            let lambda = [1e-300, 1e-12, 1e-3, 0.1, 1, 10, 1e6, 1e100].randomElement(
                using: &random)!
            _ = try Compute.run(
                op, .forward, [x], Compute.parameters(op, k: [k], lambda: [lambda], p: p), workspace
            )
            #expect(
                scratch.passCount <= Self.passesMax(p: p),
                "kind \(kind) n \(n) k \(k) lambda \(lambda)")
        }
    }
}
