import Fixtures
import Glibc
import Testing

@testable import Operators

/// soft_topk and soft_topk_sorted against other ways to the same numbers.
@Suite struct SoftTopKTests {
    private func op(_ name: String) throws -> any Operator { try #require(Registry.find(name)) }

    private func forward(
        _ x: [Double], _ named: [String: ParameterValue], dtype: DType = .float64
    ) throws -> [Double] {
        let op = try op("soft_topk")
        return try Compute.forward(op, [x], dtype: dtype, Compute.parameters(op, named))[0]
    }

    /// The definition by bisection in wide arithmetic: sum of y - k from both sides.
    private func reference(_ x: [Double], k: Double, tau: Double) -> [Double] {
        // Even 80 bits are few for a threshold measured from 0 beside 1e9.
        let centre = Wide(x.sorted(by: >)[min(Int(k), x.count - 1)])
        let x = x.map { Wide($0) - centre }
        func weights(_ t: Wide) -> [Wide] {
            x.map { 1 / (1 + exp((t - $0) / Wide(tau))) }
        }
        var low = x.min()! - 800 * Wide(tau)
        var high = x.max()! + 800 * Wide(tau)
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if weights(middle).reduce(0, +) > Wide(k) { low = middle } else { high = middle }
        }
        return weights((low + high) / 2).map { Double($0) }
    }

    // Catches: a wrong sign or scale, digits lost at offsets, ties, wide gaps, tiny and huge tau.
    @Test("the closed form is bisection, on friendly and hostile rows")
    func definition() throws {
        var random = SplitMix64(seed: 61)
        for trial in 0..<600 {
            let n = Int.random(in: 2...60, using: &random)
            var x = random.normals(n, scale: [1e-3, 1, 100].randomElement(using: &random)!)
            switch trial % 6 {
            case 1: x = x.map { ($0 * 2).rounded() }
            case 2: x = x.map { $0 + 1e6 }
            case 3: x = x.map { $0 > 0 ? $0 + 1e3 : $0 - 1e3 }
            case 4: x[0] = 1e9
            default: break
            }
            let tau = [1e-3, 0.05, 1, 1e4].randomElement(using: &random)!
            let whole = Double(Int.random(in: 1..<n, using: &random))
            let k = [
                whole, Double.random(in: 0.01..<Double(n) - 0.01, using: &random), whole + 1e-9,
                1e-6,
            ].randomElement(using: &random)!
            let y = try forward(x, ["k": .numbers([k]), "tau": .numbers([tau])])
            let expected = reference(x, k: k, tau: tau)
            for (found, wanted) in zip(y, expected) {
                #expect(abs(found - wanted) < 1e-12, "trial \(trial) n \(n) k \(k) tau \(tau)")
            }
            let sum = y.reduce(0, +)
            #expect(abs(sum - k) < 1e-12 * Double(n), "trial \(trial): \(sum) \(k)")
        }
    }

    // Catches: a solver that gives up, overflows or answers NaN at the ends of the range.
    @Test("extremes answer finite numbers that sum to k", arguments: [DType.float64, .float32])
    func extremes(_ dtype: DType) throws {
        let isDouble = dtype == .float64
        let huge = isDouble ? Double.greatestFiniteMagnitude : Double(Float.greatestFiniteMagnitude)
        let large = isDouble ? 1e308 : 1e38
        let tiny = isDouble ? 5e-324 : 1e-45
        let rows: [[Double]] = [
            [huge, -huge, 0], [large, large, -large], [1 / large, 0, -1 / large], [tiny, 0, 0],
            [1, 1, 1, 1], [0, 0], [-.infinity, 3, 1, -.infinity, 2], [1e8, 1e8 + 1e-7, -1e8],
            [-huge, -.infinity, -huge], [-huge, -huge, 0, -.infinity],
        ].map { row in isDouble ? row : row.map { Double(Float($0)) } }
        for x in rows {
            let count = Double(x.filter { $0.isFinite }.count)
            for tau in [1e-300, 1e-45, 1e-38, 1e-30, 1e-6, 1, 1e30, 1e38, 1e300, huge] {
                for k in [0, 5e-324, 1e-300, 0.5, 1, 1.5, count - 1e-12, count] {
                    let named: [String: ParameterValue] = [
                        "k": .numbers([k]), "tau": .numbers([tau]),
                    ]
                    let op = try op("soft_topk")
                    let parameters = Compute.parameters(op, named)
                    let c = x.indices.map { Double($0) * (isDouble ? 1e300 : 5e37) }
                    let y = try Compute.forward(op, [x], dtype: dtype, parameters)[0]
                    let g = try Compute.vjp(op, [x], [[c]], dtype: dtype, parameters)[0][0]
                    let place = "\(x) k \(k) tau \(tau): \(y) \(g)"
                    #expect(y.allSatisfy { $0 >= 0 && $0 <= 1 }, "\(place)")
                    #expect(abs(y.reduce(0, +) - k) <= (isDouble ? 1e-10 : 1e-6), "\(place)")
                    #expect(g.allSatisfy { $0.isFinite }, "\(place)")
                    #expect(zip(x, y).allSatisfy { $0.isFinite || $1 == 0 }, "\(place)")
                    #expect(zip(x, g).allSatisfy { $0.isFinite || $1 == 0 }, "\(place)")
                }
            }
        }
    }

    // Catches: tau other than cost_scale epsilon / 2, or a mode turned round.
    @Test("with epsilon it is Sinkhorn's loop, run until it stands", arguments: [0.1, 0.5])
    func sinkhorn(_ epsilon: Double) throws {
        var random = SplitMix64(seed: 62)
        for mode in ["smallest", "largest"] {
            let x = random.normals(20)
            let k = 6.0
            let costs = x.flatMap { v -> [Double] in
                let v = mode == "smallest" ? v : -v
                return [v * v, (v - 1) * (v - 1)]
            }
            let plan = Sinkhorn.plan(
                mode == "smallest" ? x : x.map { -$0 }, anchors: [0, 1], masses: [k, 20 - k],
                cost: costs.max()!, epsilon: epsilon, iterations: 5000)
            let y = try forward(
                x, ["k": .numbers([k]), "epsilon": .numbers([epsilon]), "mode": .word(mode)])
            for (found, wanted) in zip(y, plan) { #expect(abs(found - wanted[0]) < 1e-9) }
        }
    }

    // The published loop's 200 iterations at a small epsilon: a negative control for the one above.
    @Test("200 iterations are not enough at epsilon = 0.002")
    func unconverged() throws {
        var random = SplitMix64(seed: 63)
        var worst = 0.0
        for _ in 0..<5 {
            let x = random.normals(100)
            let scale = x.map { max($0 * $0, ($0 - 1) * ($0 - 1)) }.max()!
            let plan = Sinkhorn.plan(
                x, anchors: [0, 1], masses: [10, 90], cost: scale, epsilon: 0.002, iterations: 200)
            let y = try forward(
                x,
                [
                    "k": .numbers([10]), "epsilon": .numbers([0.002]), "mode": .word("smallest"),
                ])
            worst = zip(y, plan).reduce(worst) { max($0, abs($1.0 - $1.1[0])) }
        }
        print("SoftTopKTests: Sinkhorn's 200 iterations are off by up to \(worst)")
        #expect(worst > 0.1)
    }

    // Catches: a solver that crawls where the slope says nothing.
    @Test("few passes on any row", arguments: [DType.float32, .float64])
    func passes(_ dtype: DType) throws {
        let op = try op("soft_topk")
        var random = SplitMix64(seed: 66)
        let workspace = Workspace()
        let scratch = workspace.scratch(SoftTopKScratch.self)
        var worst = 0
        for trial in 0..<3000 {
            let n = Int.random(in: 2...200, using: &random)
            let kind = Int.random(in: 0..<HostileRow.kindCount, using: &random)
            let x = HostileRow.make(kind, n, &random).map { max(min($0, 1e30), -1e30) }
            if x.contains(where: { !$0.isFinite }) { continue }
            let tau = pow(10, Double.random(in: -12...6, using: &random))
            let whole = Double(Int.random(in: 1..<n, using: &random))
            let k = [
                whole, whole + 1e-7, whole - 0.5, Double.random(in: 1e-9..<1, using: &random),
            ][
                trial % 4]
            let parameters = Compute.parameters(op, ["k": .numbers([k]), "tau": .numbers([tau])])
            _ = try Compute.run(op, .forward, [x], dtype: dtype, parameters, workspace)
            if scratch.passCount > worst {
                worst = scratch.passCount
                print(
                    "SoftTopKTests: \(dtype) \(worst) passes, kind \(kind) n \(n) k \(k) tau \(tau)"
                )
            }
        }
        #expect(worst <= 40)
    }

    // Catches: rows that depend on each other without being asked to.
    @Test("legacy_batch_scale couples rows, nothing else does")
    func batchScale() throws {
        let op = try op("soft_topk")
        let x = [[1.0, 2, 3], [10, 20, 30]]
        for isLegacy in [false, true] {
            let parameters = Compute.parameters(
                op,
                [
                    "k": .numbers([1]), "epsilon": .numbers([0.5]),
                    "legacy_batch_scale": .boolean(isLegacy),
                ])
            let both = try Compute.forward(op, x, parameters)
            let alone = try Compute.forward(op, [x[0]], parameters)
            #expect((both[0] == alone[0]) == !isLegacy)
        }
    }

    // Catches: a wrong anchor, mass or column order, and a Newton that stops early.
    @Test("the sorted operator is Sinkhorn's loop, run until it stands")
    func sorted() throws {
        let op = try op("soft_topk_sorted")
        var random = SplitMix64(seed: 64)
        for trial in 0..<12 {
            let n = Int.random(in: 3...9, using: &random)
            let k = trial % 4 == 3 ? n : Int.random(in: 1..<n, using: &random)
            let x = random.normals(n)
            let eps = 0.6
            let rest = k < n ? [Double(n - k)] : []
            let plan = Sinkhorn.plan(
                x, anchors: (0..<k).map { Double(k - $0) } + (k < n ? [0] : []),
                masses: [Double](repeating: 1, count: k) + rest, cost: 1, epsilon: eps,
                iterations: 4000)
            let parameters = Compute.parameters(
                op, ["k": .integers([k]), "eps": .numbers([eps])])
            let y = try Compute.forward(op, [x], parameters)
            for (row, wanted) in zip(y, plan) {
                for j in 0..<k { #expect(abs(row[j] - wanted[j]) < 1e-8, "trial \(trial)") }
            }
        }
    }

    // Catches: sums that are off where the columns hardly touch, NaN in gaps, work without end.
    @Test("sorted: every column sums to 1, at any eps and scale")
    func sortedExtremes() throws {
        let op = try op("soft_topk_sorted")
        var random = SplitMix64(seed: 65)
        for trial in 0..<200 {
            let n = Int.random(in: 2...30, using: &random)
            let k = Int.random(in: 1...min(n, 8), using: &random)
            var x = random.normals(n, scale: [1e-3, 1, 1e6].randomElement(using: &random)!)
            if trial % 3 == 1 { x = x.map { $0.rounded() } }
            if trial % 5 == 1 { x.append(-.infinity) }
            let eps = [1e-100, 1e-6, 0.01, 1, 1e6].randomElement(using: &random)!
            let parameters = Compute.parameters(
                op, ["k": .integers([k]), "eps": .numbers([eps])])
            let y = try Compute.forward(op, [x], parameters)
            let c = random.normals(x.count * k)
            let g = try Compute.vjp(op, [x], [[c]], parameters)[0][0]
            for j in 0..<k {
                let sum = y.reduce(0) { $0 + $1[j] }
                #expect(abs(sum - 1) < 1e-9, "trial \(trial) n \(n) k \(k) eps \(eps): \(sum)")
            }
            #expect(g.allSatisfy { $0.isFinite }, "trial \(trial)")
            #expect(zip(x, y).allSatisfy { $0.isFinite || $1 == [Double](repeating: 0, count: k) })
        }
    }
}
