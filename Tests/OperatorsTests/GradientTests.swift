import Fixtures
import Glibc
import Operators
import Testing

/// Catches a wrong derivative: the VJP against central differences of the forward pass.
@Suite struct GradientTests {
    private static let seed = UInt64.random(in: 0 ... .max)

    @Test(
        "vjp equals finite differences at p = 4/3, 1.5, 2, 3, any",
        arguments: Names.sparseTopK)
    func finiteDifferences(_ name: String) throws {
        print("GradientTests \(name) seed \(Self.seed)")
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: Self.seed)
        var compared = 0
        var worst = 0.0
        for trial in 0..<1500 {
            let p =
                trial % 5 == 4
                ? Double.random(in: 1.1...5, using: &random) : [4.0 / 3, 1.5, 2, 3][trial % 5]
            let n = Int.random(in: 2...12, using: &random)
            let k = Int.random(in: 1..<n, using: &random)
            let lambda = [0.1, 0.5, 2, 10].randomElement(using: &random)!
            let x = random.normals(n)
            let c = random.normals(n)
            let parameters = Compute.parameters(op, k: [k], lambda: [lambda], p: p)
            // A step over a kink compares two different pieces: skip rows that are near one.
            guard isSmooth(name, x, k: k, lambda: lambda, p: p, step: 2e-3) else { continue }
            let gradient = try Compute.vjp(op, [x], [[c]], parameters)[0][0]
            let scale = max(1, gradient.map { abs($0) }.max()!)
            for i in 0..<n {
                let numeric = try derivative(op, x, c, i, parameters)
                worst = max(worst, abs(gradient[i] - numeric) / scale)
                #expect(
                    abs(gradient[i] - numeric) <= 1e-6 * scale,
                    "\(name) p \(p) k \(k) lambda \(lambda) x \(x): \(gradient[i]) \(numeric)"
                )
            }
            compared += 1
        }
        print("GradientTests \(name): \(compared) rows, worst relative error \(worst)")
        #expect(compared > 300)
    }

    /// d<c, f(x)>/dx_i by Richardson's extrapolation of central differences, error O(h^4).
    private func derivative(
        _ op: any Operator, _ x: [Double], _ c: [Double], _ i: Int, _ parameters: ParameterValues
    ) throws -> Double {
        func central(_ h: Double) throws -> Double {
            var up = x
            var down = x
            up[i] += h
            down[i] -= h
            let above = try Compute.forward(op, [up], parameters).flatMap { $0 }
            let below = try Compute.forward(op, [down], parameters).flatMap { $0 }
            return zip(c, zip(above, below)).reduce(0) { $0 + $1.0 * ($1.1.0 - $1.1.1) } / (2 * h)
        }
        let h = 1e-4
        return (4 * (try central(h / 2)) - (try central(h))) / 3
    }

    /// Whether no entry changes its state (out, active, capped) within `step` of x, and active
    /// weights stay clear of 0, where p > 2 has no bounded second derivative.
    private func isSmooth(
        _ name: String, _ x: [Double], k: Int, lambda: Double, p: Double, step: Double
    ) -> Bool {
        let base = name == "values" ? "mask" : name
        func states(_ x: [Double]) -> [Int] {
            let y = Reference.forward(base, x, k: k, lambda: lambda, p: p)
            return zip(x, y).map { value, y in
                if y == 0 { return 0 }
                let isCapped = base == "mask" ? y == 1 : y == value
                return isCapped ? 2 : 1
            }
        }
        let here = states(x)
        if p != 2 {
            let y = Reference.forward(base, x, k: k, lambda: lambda, p: p)
            if zip(here, y).contains(where: { $0 == 1 && abs($1) < 0.05 }) { return false }
            // For a mask y = ((x - tau) / lambda)^(1/(p-1)): tau has to be fifty steps away.
            let isTooNear = { (y: Double) in lambda * Glibc.pow(y, p - 1) < 5e-3 }
            if base == "mask" && p > 2 && zip(here, y).contains(where: { $0 == 1 && isTooNear($1) })
            {
                return false
            }
        }
        for i in x.indices {
            for sign in [-1.0, 1] {
                var moved = x
                moved[i] += sign * step
                if states(moved) != here { return false }
            }
        }
        return !(name == "magnitude" && x.contains { abs($0) < 2 * step })
    }

    @Test("G cotangents in one request equal G requests", arguments: Registry.names)
    func stacked(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 5)
        let x = (0..<3).map { _ in random.normals(9) }
        let parameters = try Samples.parameters(op, n: 9, using: &random)
        let length = Samples.cotangentLength(op, n: 9, parameters)
        let cotangents = (0..<4).map { _ in (0..<3).map { _ in random.normals(length) } }
        let together = try Compute.vjp(op, x, cotangents, parameters)
        for g in 0..<4 {
            let alone = try Compute.vjp(op, x, [cotangents[g]], parameters)
            for row in 0..<3 { #expect(together[row][g] == alone[row][0]) }
        }
    }

    // Catches: a VJP of another function, or of the wrong point. Samples say which operators are
    // smooth; mask, values and magnitude, which have kinks, have a test of their own.
    @Test("smooth operators: vjp equals finite differences", arguments: Registry.names)
    func smooth(_ name: String) throws {
        let op = try #require(Registry.find(name))
        let samples = try Samples.of(op)
        var random = SplitMix64(seed: Self.seed)
        var worst = 0.0
        for _ in 0..<300 {
            let n = Int.random(in: 2...12, using: &random)
            let x = random.normals(n)
            guard let named = samples.smoothParameters(rowLength: n, using: &random) else {
                return
            }
            let parameters = Compute.parameters(op, named)
            let c = random.normals(Samples.cotangentLength(op, n: n, parameters))
            let gradient = try Compute.vjp(op, [x], [[c]], parameters)[0][0]
            for i in 0..<n {
                let numeric = try derivative(op, x, c, i, parameters)
                worst = max(worst, abs(gradient[i] - numeric))
            }
        }
        print("GradientTests \(name) seed \(Self.seed): worst error \(worst)")
        #expect(worst < 1e-8)
    }
}
