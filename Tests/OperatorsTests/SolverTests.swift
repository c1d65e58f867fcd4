import Fixtures
import Testing

@testable import Operators

/// Three solvers, one answer.
@Suite struct SolverTests {
    private static let seed = UInt64.random(in: 0 ... .max)

    private func parameters(
        _ op: any Operator, _ solver: String, k: Int, lambda: Double, p: Double,
        _ more: [String: ParameterValue] = [:]
    ) -> ParameterValues {
        Compute.parameters(
            op, k: [k], lambda: [lambda], p: p, more.merging(["solver": .word(solver)]) { $1 })
    }

    // Catches: a request for one solver that another answers.
    @Test("the solver asked for is the one that ran", arguments: Names.sparseTopK)
    func askedIsRun(_ name: String) throws {
        let op = try #require(Registry.find(name))
        for solver in ["threshold", "pav", "dykstra"] {
            let workspace = Workspace()
            let scratch = workspace.scratch(SparseTopKScratch.self)
            let parameters = parameters(op, solver, k: 1, lambda: 1, p: 2)
            _ = try Compute.run(op, .forward, [[3, 2, 1]], parameters, workspace)
            #expect(scratch.lastSolver?.rawValue == solver)
            _ = try Compute.run(
                op, .vjp, [[3, 2, 1]], stack: [[[1, 1, 1]]], parameters, workspace)
            #expect(scratch.lastSolver?.rawValue == solver)
        }
        let workspace = Workspace()
        let scratch = workspace.scratch(SparseTopKScratch.self)
        let auto = parameters(op, "auto", k: 1, lambda: 1, p: 2)
        _ = try Compute.run(op, .forward, [[3, 2, 1]], auto, workspace)
        #expect(scratch.lastSolver == .threshold)
        _ = try Compute.run(
            op, .forward, [[3, 2, 1]], weights: [[1, 0.5, 0]],
            Compute.parameters(op, lambda: [1], p: 2), workspace)
        #expect(scratch.lastSolver == .pav)
    }

    // Catches: a pooling or a partition that stops early, cancels or splits wrongly.
    @Test("pav is threshold on random and hostile rows", arguments: Names.sparseTopK)
    func pavIsThreshold(_ name: String) throws {
        print("SolverTests.pav \(name) seed \(Self.seed)")
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: Self.seed)
        for _ in 0..<3000 {
            let kind = Int.random(in: 0..<HostileRow.kindCount, using: &random)
            let n = Int.random(in: 1...80, using: &random)
            let k = Int.random(in: 1...n, using: &random)
            let x = HostileRow.make(kind, n, &random)
            let lambda = [1e-12, 1e-6, 0.01, 0.1, 1, 10, 1000, 1e6].randomElement(using: &random)!
            let p = [4.0 / 3.0, 1.5, 2, 3, 1.05, 16, Double.random(in: 1.1...6, using: &random)]
                .randomElement(using: &random)!
            let y = try Compute.forward(
                op, [x], parameters(op, "threshold", k: k, lambda: lambda, p: p))[0]
            let z = try Compute.forward(
                op, [x], parameters(op, "pav", k: k, lambda: lambda, p: p))[0]
            let scale = name == "mask" ? 1 : max(.leastNormalMagnitude, x.map { abs($0) }.max()!)
            let error = zip(y, z).map { abs($0 - $1) }.max()! / scale
            #expect(
                error <= 1e-11,
                "\(name) kind \(kind) n \(n) k \(k) lambda \(lambda) p \(p) error \(error)")
        }
    }

    // Catches: a group of a long row that is not read again although its maximum reaches the bound.
    @Test("pav is threshold where few of very many are selected", arguments: Names.sparseTopK)
    func pavIsThresholdInLongRows(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 43)
        for (n, k) in [(4_400, 1), (20_003, 3), (70_001, 1)] {
            for kind in 0..<HostileRow.kindCount {
                let x = HostileRow.make(kind, n, &random)
                let answers = try ["threshold", "pav"].map {
                    try Compute.forward(op, [x], parameters(op, $0, k: k, lambda: 0.1, p: 2))[0]
                }
                let size = max(1, answers[1].map { abs($0) }.max() ?? 1)
                let distance = zip(answers[0], answers[1]).map { abs($0 - $1) }.max() ?? 0
                #expect(distance <= 1e-11 * size, "\(name) n \(n) kind \(kind)")
            }
        }
    }

    // Catches: wrong corrections or weights in the projections, and a residual that is small
    // before the answer is right.
    @Test("dykstra, converged, is threshold", arguments: Names.sparseTopK)
    func dykstraIsThreshold(_ name: String) throws {
        print("SolverTests.dykstra \(name) seed \(Self.seed)")
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: Self.seed)
        var converged = 0
        for _ in 0..<1000 {
            let n = Int.random(in: 1...30, using: &random)
            let k = Int.random(in: 1...n, using: &random)
            let x = random.normals(n, scale: [1e-3, 1, 1e3].randomElement(using: &random)!)
            let lambda = [1e-3, 0.1, 1, 3].randomElement(using: &random)!
            let settings: [String: ParameterValue] = [
                "max_iterations": .integers([20_000]), "tolerance": .numbers([1e-13]),
            ]
            let output = try Compute.run(
                op, .forward, [x], parameters(op, "dykstra", k: k, lambda: lambda, p: 2, settings))
            guard Compute.numbers(output, "converged") == [1] else { continue }
            converged += 1
            let y = try Compute.forward(
                op, [x], parameters(op, "threshold", k: k, lambda: lambda, p: 2))[0]
            let scale = name == "mask" ? 1 : x.map { abs($0) }.max()!
            let error = zip(y, Compute.dense(output.answer)[0]).map { abs($0 - $1) }.max()! / scale
            #expect(error <= 1e-9, "\(name) n \(n) k \(k) lambda \(lambda) error \(error) x \(x)")
        }
        #expect(converged > 900)
    }

    // Catches: a row that did not converge and does not say so.
    @Test("dykstra that gives up reports it, row by row")
    func givesUp() throws {
        let op = try #require(Registry.find("mask"))
        let tied = [Double](repeating: 1, count: 200)
        let easy = (0..<200).map { Double($0) }
        let few: [String: ParameterValue] = [
            "max_iterations": .integers([20]), "tolerance": .numbers([1e-9]),
        ]
        let output = try Compute.run(
            op, .forward, [tied, easy], parameters(op, "dykstra", k: 100, lambda: 0.5, p: 2, few))
        #expect(Compute.numbers(output, "converged") == [0, 1])
        #expect(Compute.numbers(output, "iterations")[0] == 20)
        let residual = Compute.numbers(output, "residual")
        #expect(residual[0] > 1e-9 && residual[1] <= 1e-9)
        #expect(output.nonconvergedRowCount == 1)
    }

    // Catches: a block's root that is wrong for weights other than 0 and 1.
    @Test("general weights: pav is pooling by bisection in 80 bits", arguments: Names.sparseTopK)
    func generalWeights(_ name: String) throws {
        print("SolverTests.weights \(name) seed \(Self.seed)")
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: Self.seed)
        for _ in 0..<800 {
            let n = Int.random(in: 1...12, using: &random)
            let x = random.normals(n, scale: [1e-2, 1, 10].randomElement(using: &random)!)
            let weights = weights(n, &random)
            let lambda = [1e-3, 0.1, 1, 10].randomElement(using: &random)!
            let p = [4.0 / 3, 2, 1.5, 3, Double.random(in: 1.2...5, using: &random)]
                .randomElement(using: &random)!
            let y = try Compute.forward(
                op, [x], weights: [weights], Compute.parameters(op, lambda: [lambda], p: p))[0]
            let expected = ReferenceIsotonic.forward(
                name, x, weights: weights, lambda: lambda, p: p)
            let scale = max(1e-3, expected.map { abs($0) }.max()!)
            let error = zip(y, expected).map { abs($0 - $1) }.max()! / scale
            // For p > 2 the slope of u^e is infinite at 0: there it is the reference, whose v has
            // errors of 2^-64, that is off.
            #expect(
                error <= (p > 2 ? 1e-3 : 1e-12),
                "\(name) \(x) w \(weights) lambda \(lambda) p \(p): \(error)")
        }
    }

    private func weights(_ n: Int, _ random: inout SplitMix64) -> [Double] {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: (0..<n).map { Double(n - $0) }
        case 1: (0..<n).map { _ in Double.random(in: 0...2, using: &random) }.sorted(by: >)
        default:
            (0..<n).map { _ in Double(Int.random(in: 0...2, using: &random)) }.sorted(by: >)
        }
    }

    @Test("lambda = 0: the largest entries get the largest weights")
    func hardWeights() throws {
        func forward(_ name: String, _ x: [Double]) throws -> [Double] {
            let op = try #require(Registry.find(name))
            return try Compute.forward(
                op, [x], weights: [[3, 1, 0.5, 0]], Compute.parameters(op, lambda: [0], p: 2))[0]
        }
        #expect(try forward("mask", [1, 4, -2, 4]) == [0.5, 3, 0, 1])
        #expect(try forward("values", [1, 4, -2, 4]) == [0.5, 12, 0, 4])
        #expect(try forward("magnitude", [1, 4, -2, 4]) == [0, 12, -1, 4])
    }

    @Test("rows of w, one a row, and short rows")
    func rowsOfWeights() throws {
        let op = try #require(Registry.find("mask"))
        let x: [[Double]] = [[1, 2, 3], [1, -.infinity, 3]]
        let each = try Compute.forward(
            op, x, weights: [[1, 0.5, 0], [2, 1, 0]], Compute.parameters(op, lambda: [0], p: 2))
        #expect(each == [[0, 0.5, 1], [1, 0, 2]])
        do {
            _ = try Compute.forward(
                op, x, weights: [[1, 1, 1]], Compute.parameters(op, lambda: [0], p: 2))
            Issue.record("three weights passed for two finite entries")
        } catch {
            #expect(error == .tooFewFiniteEntries(row: 1, k: 3, finiteCount: 2))
        }
        let shrunk = try Compute.forward(
            op, x, weights: [[3, 2, 1]],
            Compute.parameters(op, lambda: [0], p: 2, shortRows: "shrink"))
        #expect(shrunk == [[1, 2, 3], [2, 0, 3]])
    }

    @Test("what does not go together is refused, with the parameter's name")
    func incompatible() throws {
        let op = try #require(Registry.find("mask"))
        func refusal(
            _ more: [String: ParameterValue], k: [Int] = [], weights: [[Double]]? = [[1, 0]],
            p: Double = 2
        ) -> OperatorError? {
            do {
                let parameters = Compute.parameters(op, k: k, p: p, more)
                _ = try Compute.run(op, .forward, [[1, 2]], weights: weights, parameters)
                return nil
            } catch {
                return error
            }
        }
        func name(_ error: OperatorError?) -> String {
            if case .incompatible(let name, _) = error { name } else { "\(error as Any)" }
        }
        #expect(refusal([:]) == nil)
        #expect(name(refusal([:], k: [1])) == "k")
        #expect(name(refusal(["solver": .word("threshold")])) == "solver")
        #expect(name(refusal(["linearization": .boolean(true)])) == "linearization")
        #expect(
            name(refusal(["solver": .word("dykstra")], k: [1], weights: nil, p: 3)) == "solver")
        #expect(
            name(refusal(["max_iterations": .integers([5])], k: [1], weights: nil))
                == "max_iterations")
        #expect(name(refusal(["tolerance": .numbers([0.1])], k: [1], weights: nil)) == "tolerance")
        for (weights, column) in [([1, 2], 1), ([-1, -2], 0), ([1e10, 0], 0), ([1, .nan], 1)] {
            guard case .wrongInput("w", 0, column, _, _) = refusal([:], weights: [weights]) else {
                Issue.record("\(weights) passed")
                continue
            }
        }
    }
}
