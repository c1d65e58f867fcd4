import Fixtures
import Operators
import Testing

/// Inputs on which the solvers that sort, and the products with the Jacobian, were once wrong,
/// slow or not finite: found by reviews, kept.
@Suite struct ReviewedTests {
    private func run(
        _ name: String, _ direction: Direction, _ x: [Double], c: [Double] = [],
        w: [Double]? = nil, k: Int? = nil, lambda: Double, p: Double,
        _ more: [String: ParameterValue] = [:]
    ) throws -> [Double] {
        let op = try #require(Registry.find(name))
        let parameters = Compute.parameters(
            op, k: k.map { [$0] } ?? [], lambda: [lambda], p: p, more)
        let output = try Compute.run(
            op, direction, [x], stack: c.isEmpty ? [] : [[c]], weights: w.map { [$0] }, parameters)
        return Compute.dense(output.answer)[0]
    }

    private func isNear(_ found: [Double], _ expected: [Double], _ tolerance: Double = 1e-12)
        -> Bool
    {
        zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
    }

    private let pav: [String: ParameterValue] = ["solver": .word("pav")]

    // Catches: a report that lacks the rows that have nothing to select.
    @Test("dykstra reports a row without finite entries, too")
    func emptyRow() throws {
        let op = try #require(Registry.find("mask"))
        let parameters = Compute.parameters(
            op, k: [1], lambda: [3], p: 2, shortRows: "shrink", ["solver": .word("dykstra")])
        let output = try Compute.run(
            op, .forward, [[-.infinity, -.infinity], [1, 2]], parameters)
        #expect(Compute.numbers(output, "iterations") == [0, 2])
        #expect(Compute.numbers(output, "converged") == [1, 1])
    }

    // Catches: ties of equal weight that are taken for one block.
    @Test("equal entries of equal weight are not coupled", arguments: [1.5, 2, 3, 4.0 / 3])
    func ties(_ p: Double) throws {
        for solver in ["threshold", "pav"] {
            let g = try run(
                "magnitude", .vjp, [1, 1, 0], c: [1, 0, 0], k: 2, lambda: 2, p: p,
                ["solver": .word(solver)])
            #expect(isNear(g, [1, 0, 0]), "\(solver) \(g)")
        }
        let w = try run(
            "magnitude", .vjp, [1, 1, 0], c: [1, 0, 0], w: [0.5, 0.5, 0], lambda: 2, p: p)
        let pair = try run("magnitude", .vjp, [1, 1], c: [1, 0], w: [0.5, 0.5], lambda: 2, p: p)
        #expect(isNear(w, pair + [0]) && pair[1] == 0, "\(w) \(pair)")
    }

    // Catches: a unit that is taken from a score that matters to nobody.
    @Test("a tiny score changes nothing for the others")
    func tinyScore() throws {
        for (tiny, p) in [(1e-20, 16.0), (1e-50, 6), (1e-12, 16)] {
            let y = try run("magnitude", .forward, [1, tiny], w: [2, 1], lambda: 1, p: p)
            let alone = try run("magnitude", .forward, [1], w: [2], lambda: 1, p: p)
            #expect(isNear([y[0]], alone), "\(p) \(y[0]) \(alone)")
        }
        #expect(
            try run("magnitude", .forward, [1e10, 1e-300], k: 1, lambda: 0.1, p: 2, pav) == [
                1e10, 0,
            ])
    }

    // Catches: lambda = 0 by a slope so large that products underflow.
    @Test("lambda = 0: a general weight passes on its part, exactly")
    func hardWeight() throws {
        for c in [1.0, 1e-5, 1e300] {
            for direction in [Direction.vjp, .jvp] {
                let g = try run("magnitude", direction, [2], c: [c], w: [0.3], lambda: 0, p: 2)
                #expect(isNear(g, [0.3 * c], 1e-15), "\(g)")
            }
        }
    }

    // Catches: what once was a 500: overflow on the way to an answer that is finite or clamped.
    @Test("answers at the ends of the range are finite")
    func ends() throws {
        let first = try run("magnitude", .forward, [1e17], w: [2], lambda: 0.1, p: 1.05)
        #expect(first[0] >= 1e17 && first[0] <= 2e17)
        #expect(
            try run("values", .forward, [1e308], w: [10], lambda: 0.1, p: 2) == [
                .greatestFiniteMagnitude
            ])
        let cubic = try run("magnitude", .forward, [1e200, 1], w: [2, 0], lambda: 0.1, p: 4.0 / 3)
        #expect(cubic[0] >= 1e200 && cubic[0] <= 2.1e200, "\(cubic)")
        let small = try run("mask", .forward, [1, 1], w: [1e-170, 0], lambda: 0.1, p: 4.0 / 3)
        #expect(isNear([small[0] * 1e170, small[1] * 1e170], [0.5, 0.5]), "\(small)")
        let steep = try run(
            "mask", .vjp, [1, 1], c: [1, 0], k: 1, lambda: 0x1p-1030, p: 2,
            ["solver": .word("dykstra")])
        #expect(steep.allSatisfy { $0.isFinite })
        let spread = try run("magnitude", .forward, [3, 1, 1e-160], k: 2, lambda: 1, p: 16, pav)
        #expect(
            isNear(spread, try run("magnitude", .forward, [3, 1, 1e-160], k: 2, lambda: 1, p: 16)))
        let huge = try run(
            "magnitude", .vjp, [1e308, 1e308, 1e308, 1], c: [1e308, -1e308, 1, 2], k: 2,
            lambda: 0.1,
            p: 2)
        #expect(huge.allSatisfy { $0.isFinite })
        #expect(
            try run("magnitude", .forward, [-1e308, -0.1, 0.1], k: 3, lambda: 0.1, p: 2, pav)
                == [-1e308, -0.1, 0.1])
        let weak = try run("magnitude", .jvp, [1, 1], c: [1e-305, 0], k: 1, lambda: 1, p: 2)
        #expect(weak[0] > 1e-306 && weak[0] < 2e-305, "\(weak)")
        let flat = try run(
            "magnitude", .vjp, [1.7e308], c: [1], w: [1e9], lambda: 1.7e308, p: 4.0 / 3)
        #expect(isNear(flat, [1]), "\(flat)")
    }

    // Catches: a split that takes one entry off at a time: minutes instead of milliseconds.
    @Test("a long row with general weights and any p ends", .timeLimit(.minutes(1)))
    func longRow() throws {
        let m = 60_000
        let w = (0..<m).map { 2 - Double($0) / Double(m) }
        let squares = (0..<m).map { Double((m - $0) * (m - $0)) / Double(m) }
        var random = SplitMix64(seed: 61)
        for (x, lambda, p) in [(squares, 1.0, 1.05), (random.normals(m), 1e-9, 1.5)] {
            for name in ["magnitude", "mask"] {
                let y = try run(name, .forward, x, w: w, lambda: lambda, p: p)
                #expect(y.allSatisfy { $0.isFinite })
            }
        }
    }

    @Test("dykstra refuses work without end, and ends when nobody wants it any more")
    func work() throws {
        let op = try #require(Registry.find("mask"))
        let settings: [String: ParameterValue] = [
            "solver": .word("dykstra"), "max_iterations": .integers([100_000]),
            "tolerance": .numbers([0]),
        ]
        let parameters = Compute.parameters(op, k: [1], lambda: [1], p: 2, settings)
        let many = [[Double]](repeating: [Double](repeating: 1, count: 1 << 10), count: 1 << 10)
        do {
            _ = try Compute.run(op, .forward, many, parameters)
            Issue.record("10^11 projections were begun")
        } catch {
            guard case .incompatible("max_iterations", _) = error else {
                Issue.record("\(error)")
                return
            }
        }
        expectCancelled(op, parameters)
    }

    // Catches a look at the deadline that is left out where a block has no second step: batches of
    // long rows have a block for each row.
    @Test("each block of long rows can be cancelled", arguments: ["mask", "values", "magnitude"])
    func cancelledBlock(_ name: String) throws {
        let op = try #require(Registry.find(name))
        let parameters = Compute.parameters(op, k: [2], lambda: [1], p: 2)
        expectCancelled(op, parameters)
    }

    /// One row, which nobody wants any more.
    private func expectCancelled(_ op: any Operator, _ parameters: ParameterValues) {
        let x = DenseRows([[Double](repeating: 1, count: 2000)], dtype: .float64)
        let block = RowBlock(
            x: x, rows: 0..<1, parameters: parameters, inputs: [nil],
            context: RunContext(deadlineNanoseconds: 0))
        let output = OperatorOutput()
        output.reset(dtype: .float64, rowLength: 2000, rowCapacity: 1)
        #expect(throws: OperatorError.cancelled) {
            try op.run(.forward, block, nil, into: output, Workspace())
        }
    }
}
