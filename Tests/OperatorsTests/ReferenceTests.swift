import Fixtures
import Operators
import Testing

/// Catches solver errors that golden data is too small to show: thousands of rows, all shapes of
/// input, against the definition in 80-bit arithmetic.
@Suite struct ReferenceTests {
    private static let seed = UInt64.random(in: 0 ... .max)

    /// Rows that defeat careless solvers.
    private static func row(_ kind: Int, _ n: Int, _ random: inout SplitMix64) -> [Double] {
        switch kind {
        case 0: return random.normals(n)
        case 1: return random.normals(n, scale: 1e-3)
        case 2: return random.normals(n, scale: 1e3)
        case 3: return (0..<n).map { _ in Double(Int.random(in: -2...2, using: &random)) / 2 }
        case 4: return (0..<n).map { pow2(-$0) }.shuffled(using: &random)
        case 5: return [Double](repeating: random.normal(), count: n)
        case 6: return random.normals(n).map { 1e6 + 1e-2 * $0 }
        case 7: return random.normals(n).enumerated().map { $0 == 0 ? 1e8 : $1 }
        case 8: return random.normals(n).enumerated().map { ($0 % 2 == 0 ? 1 : -1) + 1e-3 * $1 }
        case 9: return random.normals(n).sorted()
        default: return random.normals(n).map { $0 * $0 * $0 * $0 }
        }
    }

    private static func pow2(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: 1)
    }

    @Test("forward equals the definition on random and hostile rows", arguments: Registry.names)
    func forward(_ name: String) throws {
        print("ReferenceTests.forward \(name) seed \(Self.seed)")
        var random = SplitMix64(seed: Self.seed)
        let op = try #require(Registry.find(name))
        for _ in 0..<3000 {
            let kind = Int.random(in: 0...10, using: &random)
            let n = Int.random(in: 1...(kind % 2 == 0 ? 40 : 120), using: &random)
            let k = Int.random(in: 1...n, using: &random)
            let x = Self.row(kind, n, &random)
            let lambda = [1e-12, 1e-6, 0.01, 0.1, 1, 10, 1000, 1e6].randomElement(using: &random)!
            let p = [4.0 / 3.0, 1.5, 2, 3, 1.05, 16, Double.random(in: 1.1...6, using: &random)]
                .randomElement(using: &random)!
            let parameters = Compute.parameters(op, k: [k], lambda: [lambda], p: p)
            let y = try Compute.forward(op, [x], parameters)[0]
            let expected = Reference.forward(name, x, k: k, lambda: lambda, p: p)
            let scale = name == "mask" ? 1 : max(1e-300, x.map { abs($0) }.max()!)
            let error = zip(y, expected).map { abs($0 - $1) }.max()! / scale
            #expect(
                error <= 1e-11,
                "\(name) kind \(kind) n \(n) k \(k) lambda \(lambda) p \(p) error \(error) x \(x)")
        }
    }
}
