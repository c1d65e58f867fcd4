import Fixtures
import Operators
import Testing

/// What holds for every operator and every row; a new operator is covered by its registration.
@Suite struct PropertyTests {
    private struct Sample {
        let x: [Double]
        let k: Int
        let lambda: Double
        let p: Double
    }

    private static func samples(_ count: Int, seed: UInt64) -> [Sample] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            // Long rows take the way through group maxima, short ones do not.
            let n = [1, 5, 40, 300, 2000].randomElement(using: &random)!
            let k = Int.random(
                in: 1...max(1, n / [1, 4, 40].randomElement(using: &random)!), using: &random)
            let x = random.normals(n, scale: [1e-3, 1, 100].randomElement(using: &random)!)
            let lambda = [0.001, 0.1, 1, 30].randomElement(using: &random)!
            let p = [4.0 / 3, 1.5, 2, 3].randomElement(using: &random)!
            return Sample(x: x, k: k, lambda: lambda, p: p)
        }
    }

    @Test("a mask lies in [0, 1] and sums to k, with few entries in between")
    func maskSum() throws {
        let op = try #require(Registry.find("mask"))
        for sample in Self.samples(300, seed: 21) {
            let y = try forward(op, sample)
            #expect(y.allSatisfy { $0 >= 0 && $0 <= 1 })
            #expect(abs(y.reduce(0, +) - Double(sample.k)) < 1e-11 * Double(sample.k))
        }
    }

    @Test("one more place never takes from anyone")
    func monotone() throws {
        let op = try #require(Registry.find("mask"))
        for sample in Self.samples(200, seed: 27) where sample.k < sample.x.count {
            let y = try forward(op, sample)
            let more = Sample(x: sample.x, k: sample.k + 1, lambda: sample.lambda, p: sample.p)
            #expect(zip(try forward(op, more), y).allSatisfy { $0 >= $1 - 1e-12 })
        }
    }

    @Test("nothing is selected that lies lambda below the k-th")
    func sparsity() throws {
        let op = try #require(Registry.find("mask"))
        for sample in Self.samples(200, seed: 28) {
            let kth = sample.x.sorted(by: >)[sample.k - 1]
            let y = try forward(op, sample)
            #expect(zip(sample.x, y).allSatisfy { $1 == 0 || $0 > kth - sample.lambda })
        }
    }

    @Test("the smallest of x are the largest of -x", arguments: ["mask", "values"])
    func smallest(_ name: String) throws {
        let op = try #require(Registry.find(name))
        let sign: Double = name == "mask" ? 1 : -1
        for sample in Self.samples(100, seed: 29) {
            let more: [String: ParameterValue] = ["largest": .boolean(false)]
            let parameters = Compute.parameters(
                op, k: [sample.k], lambda: [sample.lambda], p: sample.p, more)
            let masked = sample.x + [-.infinity]
            let y = try Compute.forward(op, [masked], parameters)[0]
            let negated = Sample(
                x: sample.x.map { -$0 }, k: sample.k, lambda: sample.lambda, p: sample.p)
            #expect(y == (try forward(op, negated)).map { sign * $0 } + [0])
        }
    }

    @Test("permuting a row permutes its answer", arguments: Registry.names)
    func equivariance(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 22)
        for _ in 0..<150 {
            let n = try Samples.lengths(op, [2, 5, 40, 300, 2000]).randomElement(using: &random)!
            let x = random.normals(n)
            let parameters = try Samples.parameters(op, n: n, using: &random)
            let order = Array(x.indices).shuffled(using: &random)
            let y = try Compute.forward(op, [x], parameters)
            let z = try Compute.forward(op, [order.map { x[$0] }], parameters)
            // One row of n, or n rows of an entry each.
            let rows = y.count == 1 ? y[0].map { [$0] } : y
            let permuted = z.count == 1 ? z[0].map { [$0] } : z
            for (i, source) in order.enumerated() {
                let distance = zip(permuted[i], rows[source]).map { abs($0 - $1) }.max() ?? 0
                #expect(distance <= 1e-11, "\(name) n \(n)")
            }
        }
    }

    @Test("a batch is its rows, with k and lambda of each", arguments: Names.sparseTopK)
    func batch(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 24)
        let x = (0..<8).map { _ in random.normals(500) }
        let k = (0..<8).map { 1 + 7 * $0 }
        let lambda = (0..<8).map { 0.05 * Double($0) }
        let together = try Compute.forward(op, x, Compute.parameters(op, k: k, lambda: lambda))
        for row in 0..<8 {
            let alone = try Compute.forward(
                op, [x[row]], Compute.parameters(op, k: [k[row]], lambda: [lambda[row]]))
            #expect(together[row] == alone[0])
        }
    }

    @Test("no row of a batch depends on another", arguments: Registry.names)
    func rowsAlone(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 30)
        for n in try Samples.lengths(op, [2, 30, 600]) {
            let x = (0..<20).map { _ in random.normals(n) }
            let parameters = try Samples.parameters(op, n: n, using: &random)
            let together = try Compute.forward(op, x, parameters)
            let alone = try x.flatMap { try Compute.forward(op, [$0], parameters) }
            #expect(together == alone, "\(name) n \(n)")
        }
    }

    @Test("lambda towards 0 is the hard answer", arguments: Names.sparseTopK)
    func hardLimit(_ name: String) throws {
        let op = try #require(Registry.find(name))
        for sample in Self.samples(100, seed: 25) {
            let hard = try forward(op, Sample(x: sample.x, k: sample.k, lambda: 0, p: sample.p))
            let soft = try forward(op, Sample(x: sample.x, k: sample.k, lambda: 1e-14, p: sample.p))
            let scale = max(1, sample.x.map { abs($0) }.max()!)
            #expect(zip(hard, soft).allSatisfy { abs($0 - $1) <= 1e-9 * scale })
            #expect(hard.filter { $0 != 0 }.count <= sample.k)
        }
    }

    @Test("float32 in is float64 of the same numbers, rounded once", arguments: Registry.names)
    func precision(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 26)
        for _ in 0..<150 {
            let n = try Samples.lengths(op, [2, 5, 40, 300, 2000]).randomElement(using: &random)!
            let scale = [1e-3, 1, 100].randomElement(using: &random)!
            let x = random.normals(n, scale: scale).map { Double(Float($0)) }
            let parameters = try Samples.parameters(op, n: n, using: &random)
            let wide = try Compute.forward(op, [x], dtype: .float64, parameters)
            let narrow = try Compute.forward(op, [x], dtype: .float32, parameters)
            let isRounded = try zip(narrow, wide).allSatisfy {
                try Samples.isRounded(op, $0, from: $1, .float32)
            }
            #expect(isRounded, "\(name) n \(n)")
        }
    }

    @Test(
        "NaN and +inf are refused with their place, -inf in a cotangent, too",
        arguments: Registry.names)
    func refusals(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 31)
        let parameters = try Samples.parameters(op, n: 50, using: &random)
        let infinities = op.descriptor.acceptsNegativeInfinity ? [] : [-Double.infinity]
        for bad in [Double.nan, Double.infinity] + infinities {
            var x = (0..<3).map { _ in random.normals(50) }
            x[2][37] = bad
            do {
                _ = try Compute.forward(op, x, parameters)
                Issue.record("\(bad) passed")
            } catch {
                #expect(
                    error
                        == .notFinite(
                            input: "x", row: 2, column: 37,
                            value: bad.isNaN
                                ? .nan : bad > 0 ? .positiveInfinity : .negativeInfinity)
                )
            }
        }
        let length = Samples.cotangentLength(op, n: 50, parameters)
        var cotangent = random.normals(length)
        cotangent[1] = -.infinity
        do {
            _ = try Compute.vjp(op, [random.normals(50)], [[cotangent]], parameters)
            Issue.record("-inf passed as a cotangent")
        } catch {
            #expect(
                error
                    == .notFinite(
                        input: "cotangent", row: 0, column: 1, value: .negativeInfinity))
        }
    }

    private func forward(_ op: any Operator, _ sample: Sample) throws -> [Double] {
        let parameters = Compute.parameters(
            op, k: [sample.k], lambda: [sample.lambda], p: sample.p)
        return try Compute.forward(op, [sample.x], parameters)[0]
    }
}
