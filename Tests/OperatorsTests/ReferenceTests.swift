import Fixtures
import Operators
import Testing

/// Catches solver errors that golden data is too small to show: thousands of rows, all shapes of
/// input, against the definition in 80-bit arithmetic.
@Suite struct ReferenceTests {
    private static let seed = UInt64.random(in: 0 ... .max)

    @Test("forward equals the definition on random and hostile rows", arguments: Names.sparseTopK)
    func forward(_ name: String) throws {
        print("ReferenceTests.forward \(name) seed \(Self.seed)")
        var random = SplitMix64(seed: Self.seed)
        let op = try #require(Registry.find(name))
        for _ in 0..<3000 {
            let kind = Int.random(in: 0..<HostileRow.kindCount, using: &random)
            let n = Int.random(in: 1...(kind % 2 == 0 ? 40 : 120), using: &random)
            let k = Int.random(in: 1...n, using: &random)
            let x = HostileRow.make(kind, n, &random)
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
