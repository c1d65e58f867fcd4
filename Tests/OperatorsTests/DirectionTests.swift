import Fixtures
import Operators
import Testing

/// The Jacobian in four ways: vjp, jvp, linearization, and as a whole matrix in 80 bits.
@Suite struct DirectionTests {
    private static let seed = UInt64.random(in: 0 ... .max)

    private struct Sample {
        let x: [Double]
        let c: [Double]
        let t: [Double]
        let k: Int
        let lambda: Double
        let p: Double

        init(_ random: inout SplitMix64) {
            let n = Int.random(in: 1...25, using: &random)
            x = random.normals(n)
            c = random.normals(n)
            t = random.normals(n)
            k = Int.random(in: 1...n, using: &random)
            lambda = [1e-3, 0.1, 1, 10].randomElement(using: &random)!
            p = [4.0 / 3, 1.5, 2, 3, Double.random(in: 1.1...6, using: &random)]
                .randomElement(using: &random)!
        }

        func parameters(
            _ op: any Operator, _ more: [String: ParameterValue] = [:]
        ) -> ParameterValues {
            Compute.parameters(op, k: [k], lambda: [lambda], p: p, more)
        }
    }

    private func product(
        _ op: any Operator, _ direction: Direction, _ sample: Sample, _ vector: [Double],
        _ more: [String: ParameterValue] = [:]
    ) throws -> [Double] {
        let output = try Compute.run(
            op, direction, [sample.x], stack: [[vector]], sample.parameters(op, more))
        return Compute.dense(output.answer)[0]
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private func norm(_ a: [Double]) -> Double { a.map { abs($0) }.max() ?? 0 }

    /// Options under which the Jacobian has to hold together; those that the operator has.
    private func variants(_ op: any Operator, _ sample: Sample) -> [[String: ParameterValue]] {
        var variants: [[String: ParameterValue]] = [[:], ["solver": .word("pav")]]
        if sample.p == 2 { variants.append(["solver": .word("dykstra")]) }
        if op.descriptor.parameters.contains(where: { $0.name == "largest" }) {
            variants.append(["largest": .boolean(false)])
        }
        return variants
    }

    // Catches: a jvp or linearization with a wrong term, sign or denominator.
    @Test("jvp, vjp and linearization are one Jacobian", arguments: Names.sparseTopK)
    func oneJacobian(_ name: String) throws {
        print("DirectionTests \(name) seed \(Self.seed)")
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: Self.seed)
        for _ in 0..<1500 {
            let sample = Sample(&random)
            for variant in variants(op, sample) {
                let g = try product(op, .vjp, sample, sample.c, variant)
                let j = try product(op, .jvp, sample, sample.t, variant)
                let size = max(1, norm(g), norm(j))
                let place = "\(name) \(variant) k \(sample.k) p \(sample.p) \(sample.x)"
                #expect(abs(dot(g, sample.t) - dot(sample.c, j)) <= 1e-10 * size, "\(place)")

                var more = variant
                more["linearization"] = .boolean(true)
                let output = try Compute.run(
                    op, .forward, [sample.x], sample.parameters(op, more))
                let (a, b, d) = try linearization(output)
                let inner = (dot(d, sample.c), dot(b, sample.t))
                // a c - b <d, c> cancels where D is large.
                let reach = 1e-12 * (1 + norm(a) + norm(d)) * Double(sample.x.count) * size
                for i in sample.x.indices {
                    #expect(abs(a[i] * sample.c[i] - b[i] * inner.0 - g[i]) <= reach, "\(place)")
                    #expect(abs(a[i] * sample.t[i] - d[i] * inner.1 - j[i]) <= reach, "\(place)")
                }
            }
        }
    }

    private func linearization(
        _ output: OperatorOutput
    ) throws -> (a: [Double], b: [Double], d: [Double]) {
        func row(_ name: String) throws -> [Double] {
            Compute.dense(try #require(output[name]), keepsZeros: true)[0]
        }
        return (try row("a"), try row("b"), try row("d"))
    }

    // Catches: an error that vjp, jvp and linearization share.
    @Test("all directions are the matrix, in 80 bits", arguments: Names.sparseTopK)
    func matrix(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: Self.seed)
        for _ in 0..<1500 {
            let sample = Sample(&random)
            let reference = ReferenceJacobian(
                name, sample.x, k: sample.k, lambda: sample.lambda, p: sample.p)
            // Where D has no bound next to 0, the last digits of x decide.
            if sample.p > 2 && reference.clearance < 1e-4 { continue }
            let vjp = try Compute.run(
                op, .vjp, [sample.x], stack: [[sample.c]],
                sample.parameters(op, ["wrt": .words(["x", "lambda"])]))
            let pairs = [
                (Compute.dense(vjp.answer)[0], reference.vjp(sample.c)),
                (try product(op, .jvp, sample, sample.t), reference.jvp(sample.t)),
                (
                    Compute.numbers(vjp, "lambda_gradient"), [reference.lambdaGradient(sample.c)]
                ),
            ]
            for (index, (found, expected)) in pairs.enumerated() {
                let error = zip(found, expected).map { abs($0 - $1) }.max()!
                #expect(
                    error <= 1e-9 * max(1, norm(expected)),
                    "\(name) \(index) k \(sample.k) p \(sample.p) \(sample.lambda) \(sample.x)")
            }
        }
    }

    // Catches: a formula that is wrong in kernel and reference alike.
    @Test("lambda's gradient is a finite difference", arguments: Names.sparseTopK)
    func lambdaDifference(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: Self.seed)
        var compared = 0
        for _ in 0..<600 {
            let sample = Sample(&random)
            let h = 1e-5 * sample.lambda
            // The smallest, too: there the sign of values' differs from mask's.
            let hasLargest = op.descriptor.parameters.contains { $0.name == "largest" }
            let isSmallest = hasLargest && Bool.random(using: &random)
            let more: [String: ParameterValue] =
                isSmallest ? ["largest": .boolean(false)] : [:]
            func value(_ lambda: Double) throws -> (Double, [Int]) {
                let parameters = Compute.parameters(
                    op, k: [sample.k], lambda: [lambda], p: sample.p, more)
                let y = try Compute.forward(op, [sample.x], parameters)[0]
                let full = try Compute.forward(
                    op, [sample.x], Compute.parameters(op, k: [sample.k], lambda: [0], p: 2, more))[
                        0]
                return (dot(sample.c, y), zip(y, full).map { $0 == 0 ? 0 : $0 == $1 ? 2 : 1 })
            }
            let here = try value(sample.lambda)
            let (up, down) = (try value(sample.lambda + h), try value(sample.lambda - h))
            // Not over a kink.
            guard here.1 == up.1 && here.1 == down.1 else { continue }
            let reference = ReferenceJacobian(
                name, isSmallest ? sample.x.map { -$0 } : sample.x, k: sample.k,
                lambda: sample.lambda, p: sample.p)
            if sample.p > 2 && reference.clearance < 0.01 { continue }
            let output = try Compute.run(
                op, .vjp, [sample.x], stack: [[sample.c]],
                sample.parameters(op, more.merging(["wrt": .words(["lambda"])]) { $1 }))
            let numeric = (up.0 - down.0) / (2 * h)
            let found = Compute.numbers(output, "lambda_gradient")[0]
            #expect(
                abs(found - numeric) <= 1e-4 * max(1, abs(numeric)) / min(1, sample.lambda * 100),
                "\(name) k \(sample.k) lambda \(sample.lambda) p \(sample.p): \(found) \(numeric)")
            #expect(output.answer.count == 0, "x was not asked for")
            compared += 1
        }
        #expect(compared > 300)
    }

    // Catches: segments that are coupled, or coupled wrongly, with general weights.
    @Test(
        "general weights: vjp is a difference of jvp's, jvp of forward's",
        arguments: Names.sparseTopK)
    func generalWeights(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: Self.seed)
        var compared = 0
        for _ in 0..<400 {
            let sample = Sample(&random)
            let n = sample.x.count
            let p = [2, 4.0 / 3, 1.5].randomElement(using: &random)!
            let lambda = [0.5, 2].randomElement(using: &random)!
            let weights = [
                (0..<n).map { _ in Double.random(in: 0.1...2, using: &random) }
                    .sorted(by: >)
            ]
            let parameters = Compute.parameters(op, lambda: [lambda], p: p)
            func forward(_ step: Double) throws -> [Double] {
                let x = zip(sample.x, sample.t).map { $0 + step * $1 }
                return try Compute.forward(op, [x], weights: weights, parameters)[0]
            }
            func run(_ direction: Direction, _ vector: [Double]) throws -> [Double] {
                let output = try Compute.run(
                    op, direction, [sample.x], stack: [[vector]], weights: weights, parameters)
                return Compute.dense(output.answer)[0]
            }
            let j = try run(.jvp, sample.t)
            let g = try run(.vjp, sample.c)
            #expect(abs(dot(g, sample.t) - dot(sample.c, j)) <= 1e-9 * max(1, norm(g), norm(j)))
            func difference(_ h: Double) throws -> [Double] {
                zip(try forward(h), try forward(-h)).map { ($0 - $1) / (2 * h) }
            }
            let coarse = try difference(2e-5)
            let fine = try difference(1e-5)
            // Two steps that disagree stand on a kink.
            guard zip(coarse, fine).allSatisfy({ abs($0 - $1) < 1e-5 * max(1, norm(j)) }) else {
                continue
            }
            let error = zip(fine, j).map { abs($0 - $1) }.max()!
            #expect(error <= 1e-4 * max(1, norm(j)), "\(name) p \(p) \(sample.x) w \(weights)")
            compared += 1
        }
        #expect(compared > 200)
    }
}
