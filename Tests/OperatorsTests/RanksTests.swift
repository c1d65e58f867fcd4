import Fixtures
import Testing

@testable import Operators

/// Catches selection that is off by one, loses ties or does not end on hostile numbers: every
/// operator stands on it.
@Suite struct RanksTests {
    @Test("k-th and next equal those of a sorted copy, whatever the numbers")
    func againstSorting() {
        var random = SplitMix64(seed: 11)
        for trial in 0..<800 {
            let n = [1, 2, 3, 17, 200, 5000].randomElement(using: &random)!
            let numbers = Self.numbers(trial % 8, n, &random)
            let sorted = numbers.sorted(by: >)
            for k in Set([1, 2, n / 2, n - 1, n]) where k >= 1 && k <= n {
                var copy = numbers
                let ranks = copy.withUnsafeMutableBufferPointer {
                    Ranks.select($0.baseAddress!, count: n, k: k)
                }
                #expect(ranks.kth == sorted[k - 1], "trial \(trial) n \(n) k \(k)")
                #expect(ranks.next == (k < n ? sorted[k] : nil), "trial \(trial) n \(n) k \(k)")
            }
        }
    }

    private static func numbers(_ kind: Int, _ n: Int, _ random: inout SplitMix64) -> [Double] {
        switch kind {
        case 0: return random.normals(n)
        case 1: return (0..<n).map { _ in Double(Int.random(in: 0...3, using: &random)) }
        case 2: return [Double](repeating: -0.5, count: n)
        case 3: return (0..<n).map { Double(sign: .plus, exponent: -($0 % 1060), significand: 1) }
        case 4: return (0..<n).map { $0 % 2 == 0 ? 1.7e308 : -1.7e308 }
        // A few equal ones wherever k falls, as 16 bits have them.
        case 5: return random.normals(n).map { ($0 * 32).rounded() / 32 }
        case 6: return random.normals(n).map { ($0 * 256).rounded() / 256 }
        default:
            // Neighbouring doubles around zero: no midpoint of values lies between them.
            return (0..<n).map { _ in
                Double(Int.random(in: -3...3, using: &random)) * .leastNonzeroMagnitude
            }
        }
    }
}
