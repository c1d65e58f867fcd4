import Glibc

/// SplitMix64: the same numbers on every machine.
package struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A standard normal number (Box-Muller).
    package mutating func normal() -> Double {
        let u = Double.random(in: 0x1p-53...1, using: &self)
        let v = Double.random(in: 0..<1, using: &self)
        return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
    }

    /// `count` normal numbers.
    package mutating func normals(_ count: Int, scale: Double = 1) -> [Double] {
        (0..<count).map { _ in scale * normal() }
    }
}

/// Rows that defeat careless solvers.
package enum HostileRow {
    package static let kindCount = 14

    package static func make(_ kind: Int, _ n: Int, _ random: inout SplitMix64) -> [Double] {
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
        case 10: return random.normals(n).map { $0 * $0 * $0 * $0 }
        case 11: return random.normals(n, scale: 0x1p-1030)
        case 12: return random.normals(n, scale: 1e150)
        default: return random.normals(n, scale: 1e-150)
        }
    }

    private static func pow2(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
