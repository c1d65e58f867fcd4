import Fixtures
import Operators
import Testing

/// Rows that a reader can compute in the head; they fail first and explain most.
@Suite struct HandCaseTests {
    private func forward(
        _ name: String, _ x: [Double], k: Int, lambda: Double, p: Double,
        shortRows: String = "error"
    ) throws -> [Double] {
        let op = try #require(Registry.find(name))
        let parameters = Compute.parameters(
            op, k: [k], lambda: [lambda], p: p, shortRows: shortRows)
        return try Compute.forward(op, [x], parameters)[0]
    }

    private func vjp(
        _ name: String, _ x: [Double], _ c: [Double], k: Int, lambda: Double, p: Double
    ) throws -> [Double] {
        let op = try #require(Registry.find(name))
        let parameters = Compute.parameters(op, k: [k], lambda: [lambda], p: p)
        return try Compute.vjp(op, [x], [[c]], parameters)[0][0]
    }

    @Test("two equal entries share one place evenly")
    func tie() throws {
        #expect(try forward("mask", [1, 1], k: 1, lambda: 1, p: 2) == [0.5, 0.5])
        #expect(try forward("values", [2, 2], k: 1, lambda: 1, p: 2) == [1, 1])
        // theta = 2 s / (2 + lambda K) = 4/3, u = (2 - 4/3)/1, output u + u = 4/3.
        let magnitude = try forward("magnitude", [2, -2], k: 1, lambda: 1, p: 2)
        #expect(abs(magnitude[0] - 4.0 / 3) < 1e-15 && abs(magnitude[1] + 4.0 / 3) < 1e-15)
    }

    @Test("x(s) = (3, 1, -1+s, s), k = 2: the paper's picture at s = 1")
    func picture() throws {
        // 3 is sure; 1 and s = 1 share the other place; 0 is out.
        #expect(try forward("mask", [3, 1, 0, 1], k: 2, lambda: 0.5, p: 2) == [1, 0.5, 0, 0.5])
    }

    @Test("a gap of lambda or more is the hard answer with zero gradient")
    func gap() throws {
        #expect(try forward("mask", [3, 2, 1], k: 1, lambda: 1, p: 2) == [1, 0, 0])
        #expect(try vjp("mask", [3, 2, 1], [5, 7, 9], k: 1, lambda: 1, p: 2) == [0, 0, 0])
        #expect(try vjp("values", [3, 2, 1], [5, 7, 9], k: 1, lambda: 1, p: 2) == [5, 0, 0])
        #expect(try vjp("magnitude", [3, -2, 1], [5, 7, 9], k: 1, lambda: 0, p: 2) == [5, 0, 0])
    }

    @Test("lambda = 0 is the hard operator, ties to the lower index", arguments: Names.sparseTopK)
    func hard(_ name: String) throws {
        let y = try forward(name, [2, 5, 2, 2], k: 2, lambda: 0, p: 4.0 / 3)
        #expect(y == (name == "mask" ? [1, 1, 0, 0] : [2, 5, 0, 0]))
    }

    @Test("-inf is never selected, in any operator", arguments: Names.sparseTopK)
    func negativeInfinity(_ name: String) throws {
        let x: [Double] = [-Double.infinity, 1, -Double.infinity, 0.5]
        let y = try forward(name, x, k: 2, lambda: 10, p: 2)
        #expect(y == (name == "mask" ? [0, 1, 0, 1] : [0, 1, 0, 0.5]))
        let g = try vjp(name, x, [1, 1, 1, 1], k: 1, lambda: 10, p: 2)
        #expect(g[0] == 0 && g[2] == 0 && g.allSatisfy { $0.isFinite })
    }

    @Test("a row with fewer finite entries than k is refused, or shrinks k")
    func shortRows() throws {
        let x: [Double] = [1, -.infinity, 2]
        #expect(try forward("mask", x, k: 3, lambda: 1, p: 2, shortRows: "shrink") == [1, 0, 1])
        let none = [-Double.infinity, -Double.infinity]
        #expect(try forward("mask", none, k: 1, lambda: 1, p: 2, shortRows: "shrink") == [0, 0])
        do {
            _ = try forward("mask", x, k: 3, lambda: 1, p: 2)
            Issue.record("two finite entries passed for k = 3")
        } catch let error as OperatorError {
            #expect(error == .tooFewFiniteEntries(row: 0, k: 3, finiteCount: 2))
        }
    }

    @Test("the published code's faults are not ours")
    func publishedFaults() throws {
        // Its gradient here is [0, -10, 0, 10, 0]; the truth is 0.
        let ties = try vjp("mask", [5, 0, 0, 0, -1], [1, 2, 3, 4, 5], k: 1, lambda: 1, p: 2)
        #expect(ties == [0, 0, 0, 0, 0])
        // Its cubic cancels around large scores: here it is wrong, or raises.
        let large = [3e6, 2e6, 1e6, 0]
        #expect(try forward("mask", large, k: 2, lambda: 0.1, p: 4.0 / 3) == [1, 1, 0, 0])
        #expect(try forward("magnitude", large, k: 2, lambda: 0.1, p: 4.0 / 3) == [3e6, 2e6, 0, 0])
        // Geometric gaps with a reference far from the root lose 0.15.
        let gaps = (0..<40).map { Double(sign: .plus, exponent: -$0, significand: 1) }
        let y = try forward("mask", gaps, k: 20, lambda: 1, p: 2)
        #expect(abs(y.reduce(0, +) - 20) < 1e-13)
    }

    @Test("a gradient is finite even where the slope is not: p > 2 next to a kink")
    func finiteGradient() throws {
        let x = [1, 0.5, 0.5 - 1e-300, 0.5 - 1e-16, -1]
        for name in Names.sparseTopK {
            for p in [3.0, 8, 16] {
                let c = [1e300, -1e300, 1e300, -1e300, 1e300]
                let g = try vjp(name, x, c, k: 2, lambda: 1e-12, p: p)
                #expect(g.allSatisfy { $0.isFinite }, "\(name) p \(p): \(g)")
            }
        }
    }

    @Test("inputs that once crashed or were wrong: extremes of scale, lambda and p")
    func reviewed() throws {
        func magnitude(_ x: [Double], k: Int, lambda: Double, p: Double) throws -> [Double] {
            try forward("magnitude", x, k: k, lambda: lambda, p: p)
        }
        // kth / (2 lambda) overflows: a candidate was lost, and a precondition trapped.
        #expect(try magnitude([1.7e308, 1e300], k: 1, lambda: 0.1, p: 8).count == 2)
        #expect(try magnitude([3e38, 1e37], k: 1, lambda: 1e-280, p: 16).count == 2)
        #expect(
            try magnitude([1.16e288, -8e269, -1.1e271], k: 2, lambda: 6.8e-189, p: 3).count == 3)
        // Ties are shared however small lambda or the scores are.
        for (scale, lambda) in [(1.0, 1e-130), (1, 1e-6), (1e-22, 0.1), (1e20, 1e-3)] {
            for p in [4.0 / 3, 2, 16] {
                let y = try magnitude([scale, scale, scale], k: 1, lambda: lambda, p: p)
                #expect(y.allSatisfy { $0 == y[0] && $0 > 0 && $0 <= scale }, "\(p) \(y)")
            }
        }
        // theta / lambda below 2^-60 was taken for 0.
        let small = try magnitude([2.746e-20, 2.611e-20], k: 1, lambda: 0.15, p: 2)
        let theta = (2.746e-20 + 2.611e-20) / (2 + 0.15)
        #expect(abs(small[0] - (2.746e-20 - theta) * (1 + 1 / 0.15)) < 1e-33)
        // The scores' own unit: lambda s^(p-1) underflows, theta is below any fixed bound.
        for y in try magnitude([1e-22, 1e-22], k: 1, lambda: 0.1, p: 16) {
            #expect(abs(y - 5e-23) < 1e-30)
        }
        let subnormal = try magnitude([3e-302, 2e-302], k: 1, lambda: 1, p: 2)
        #expect(abs(subnormal[0] - 8e-302 / 3) < 1e-306 && abs(subnormal[1] - 2e-302 / 3) < 1e-306)
        // Many scores within a few ulps of the threshold, infinite slopes.
        let crowd = [1e-3, 1e-3, 1e-3] + (1...30).map { Double($0) * 1e-21 }
        let y = try forward("mask", crowd, k: 2, lambda: 1, p: 16)
        #expect(abs(y.reduce(0, +) - 2) < 1e-12, "\(y.reduce(0, +))")
        let beside = [0.0, 0, 0] + [Double](repeating: -(0x1p-16 - 0x1p-69), count: 40)
        let shared = try forward("mask", beside, k: 1, lambda: 1, p: 16)
        #expect(abs(shared.reduce(0, +) - 1) < 1e-12, "\(shared.reduce(0, +))")
    }

    @Test("gradients that once cancelled, vanished or overflowed")
    func reviewedGradients() throws {
        let none = try vjp(
            "magnitude", [0.001, 0.002], [2.26, -1.11], k: 1, lambda: 359, p: 4.0 / 3)
        #expect(abs(none[0] - 2.26) < 1e-6 && abs(none[1] + 1.11) < 1e-6, "\(none)")
        let large = try vjp("magnitude", [1, 1, 1.5], [1, 0, 0], k: 1, lambda: 1e5, p: 4.0 / 3)
        #expect(abs(large[0] - 1) < 1e-9 && abs(large[1]) + abs(large[2]) < 1e-9, "\(large)")
        let extreme = try vjp(
            "magnitude", [-1, 1, 3], [1e308, 1e308, 0], k: 1, lambda: 1e30, p: 4.0 / 3)
        #expect(extreme == [1e308, 1e308, 0], "\(extreme)")
        // A mask's gradient sums to 0, also where D is 1e16 and more.
        let steep = try vjp("mask", [1, 0.5, 0.2], [1, 2, 3], k: 1, lambda: 1, p: 16)
        #expect(abs(steep[1] + steep[0]) < 1e-13 && abs(steep[0] + 0.1273) < 1e-4, "\(steep)")
        let pair = try vjp("mask", [-0.0517, -5e-26], [0.5, -0.03], k: 1, lambda: 0.057, p: 9.8)
        #expect(abs(pair[0] + pair[1]) < 1e-13 && abs(pair[0] - 1.152) < 1e-3, "\(pair)")
    }
}
