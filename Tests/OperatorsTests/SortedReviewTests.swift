import Fixtures
import Glibc
import Operators
import Testing

/// Rows that a review found wrong in an earlier soft_topk_sorted, which eliminated a Laplacian: its
/// right side cancelled, and steps and gradients were amplified by 1 / e^-gap.
@Suite struct SortedReviewTests {
    private func columns(_ x: [Double], k: Int, eps: Double) throws -> [Double] {
        let op = try #require(Registry.find("soft_topk_sorted"))
        let parameters = Compute.parameters(op, ["k": .integers([k]), "eps": .numbers([eps])])
        let y = try Compute.forward(op, [x], parameters)
        return (0..<k).map { j in y.reduce(0) { $0 + $1[j] } }
    }

    // Catches: a Newton that leaves for where the slope is 0, that stops at ties or between
    // clusters, and distances that are cut off or measured from far away.
    @Test("columns sum to 1: ties, clusters, many columns, any eps")
    func sums() throws {
        let waves = (1...60).map { sin(Double($0)) }
        let steps = (0..<90).map { Double($0 % 7) }
        let far = [1_000_000_000.000001, 1_000_000_000.000002, 1e9, 999_999_999.999999, 0.15, 0.1]
        let rows: [([Double], Int, Double)] = [
            ([1, 1, 1, 0, 0, 0], 4, 0.01), ([2, 2, 2, 0, 0, 0, 0], 5, 0.02),
            ([1, 0, 0, 1, 0, 1], 4, 0.018391636478845133),
            ([1.2744828269343345, 0.2051, -0.4712, 999.346, 1000.49], 3, 13.930797042022323),
            (steps, 60, 100), (steps, 45, 1e3), (steps, 45, 1e4), (waves, 30, 1e-3),
            (waves, 60, 1e-3), (waves, 60, 1e-4), (far, 5, 1e-5),
            ([1e6 + 0.3, 1e6 + 0.3, 1e6 + 0.3, 1e6 + 0.2, 0.15, 0.1], 5, 0.01),
        ]
        for (x, k, eps) in rows {
            let sums = try columns(x, k: k, eps: eps)
            #expect(sums.allSatisfy { abs($0 - 1) < 1e-10 }, "n \(x.count) k \(k) eps \(eps)")
        }
    }

    @Test("far below every gap it is the permutation", arguments: [1e-15, 1e-16, 1e-150])
    func permutation(_ eps: Double) throws {
        let op = try #require(Registry.find("soft_topk_sorted"))
        for k in [3, 4] {
            let parameters = Compute.parameters(op, ["k": .integers([k]), "eps": .numbers([eps])])
            let y = try Compute.forward(op, [[3, 4, 1, 2]], parameters)
            let expected = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]].map {
                Array($0.prefix(k)).map { Double($0) }
            }
            #expect(y == expected)
        }
    }

    // References: 60-digit Newton with the implicit function theorem, by the reviewer.
    @Test("gradients across gaps keep their digits")
    func gaps() throws {
        let op = try #require(Registry.find("soft_topk_sorted"))
        let four: [Double] = [
            1, 0.5, 1, 1.5, -0.25, 1, 0.75, 1.25, -0.5, 0, 1, 1, -0.75, -0.25, 0.25, 1,
        ]
        let cases: [([Double], Int, Double, [Double], [Double])] = [
            (
                [0.1, 0, -2.31], 2, 0.005, [-1, -1, -1, 1, 1, -1],
                [8.24461445577e-7, -8.24461445577e-7, 0]
            ),
            (
                [1, 0.9, 0, -0.1], 4, 0.013, four,
                [0.0613721934089, -0.0613721934089, 0.0263023686, -0.0263023686]
            ),
            (
                [-1.9839657143178833, 0.7862302536577958, 1.5727599766805445], 2,
                0.048691874518281504, [1, 0.5, -0.25, 1, -0.5, 0], [0, -1.48716e-6, 1.48716e-6]
            ),
        ]
        for (x, k, eps, c, expected) in cases {
            let parameters = Compute.parameters(op, ["k": .integers([k]), "eps": .numbers([eps])])
            let g = try Compute.vjp(op, [x], [[c]], parameters)[0][0]
            let scale = expected.map { abs($0) }.max()!
            for (found, wanted) in zip(g, expected) {
                #expect(abs(found - wanted) < 1e-5 * scale, "\(x): \(g)")
            }
        }
    }

    // A shift of the row changes nothing: its gradient sums up to 0.
    @Test("gradients sum up to 0, columns to 1, on random rows")
    func random() throws {
        let op = try #require(Registry.find("soft_topk_sorted"))
        var random = SplitMix64(seed: 81)
        for trial in 0..<250 {
            let n = Int.random(in: 2...24, using: &random)
            let k = Int.random(in: 1...n, using: &random)
            let eps = pow(10, Double.random(in: -4...2, using: &random))
            var x = random.normals(n, scale: pow(10, Double.random(in: -1...1, using: &random)))
            if trial % 5 == 0 { x = x.map { $0.rounded() } }
            if trial % 7 == 0 { for i in 0..<n / 2 { x[i] += 1000 } }
            let sums = try columns(x, k: k, eps: eps)
            #expect(sums.allSatisfy { abs($0 - 1) < 1e-10 }, "trial \(trial) k \(k) eps \(eps)")
            let parameters = Compute.parameters(op, ["k": .integers([k]), "eps": .numbers([eps])])
            let c = random.normals(n * k)
            let g = try Compute.vjp(op, [x], [[c]], parameters)[0][0]
            let sum = g.reduce(0, +) * eps / 2
            #expect(abs(sum) < 1e-9, "trial \(trial) n \(n) k \(k) eps \(eps): \(sum)")
        }
    }

    @Test("huge cotangents and rows answer finite numbers")
    func huge() throws {
        let op = try #require(Registry.find("soft_topk_sorted"))
        for x in [[1e308, 1], [1.7e308, -1.7e308], [1, 1]] {
            let parameters = Compute.parameters(op, ["k": .integers([2]), "eps": .numbers([1])])
            let g = try Compute.vjp(op, [x], [[[1, -1, -1.7e308, 1e308]]], parameters)[0][0]
            #expect(g.allSatisfy { $0.isFinite }, "\(x): \(g)")
        }
    }
}
