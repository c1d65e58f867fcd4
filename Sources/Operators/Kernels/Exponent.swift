import CKernels
import Glibc

/// u -> u^e and its derivative for e = q - 1 = 1 / (p - 1), one type a closed form so that the
/// solver's loop is compiled for it.
protocol PowerRule {
    /// e itself.
    var e: Double { get }
    /// (u^e, e u^(e-1)) for u > 0.
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double)
    /// Sums over u_i = offsets[i] + t > 0: entries with u^e below `cap` give u^e and e u^(e-1), all
    /// others count as capped. Behind `count` offsets there is -inf up to a multiple of 16.
    func sums(
        _ offsets: UnsafePointer<Double>, count: Int, _ t: Double, cap: Double
    ) -> CKernels_Sums
}

/// p = 2.
struct Linear: PowerRule {
    var e: Double { 1 }
    @inline(__always)
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double) { (u, 1) }
    @inline(__always)
    func sums(
        _ offsets: UnsafePointer<Double>, count: Int, _ t: Double, cap: Double
    ) -> CKernels_Sums {
        CKernels_sums_linear(offsets, (count + 15) / 16 * 16, t, cap)
    }
}

/// p = 4/3.
struct Cubic: PowerRule {
    var e: Double { 3 }
    @inline(__always)
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double) { (u * u * u, 3 * u * u) }
    @inline(__always)
    func sums(
        _ offsets: UnsafePointer<Double>, count: Int, _ t: Double, cap: Double
    ) -> CKernels_Sums {
        CKernels_sums_cubic(offsets, (count + 15) / 16 * 16, t, cap)
    }
}

/// Any other p in 1.05...16.
struct General: PowerRule {
    let e: Double
    @inline(__always)
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double) {
        let power = pow(u, e)
        let slope = e * power / u
        // u^e may underflow where e u^(e-1) does not, and the reverse may overflow for e < 1.
        return (power, slope.isFinite ? slope : .greatestFiniteMagnitude)
    }

    func sums(
        _ offsets: UnsafePointer<Double>, count: Int, _ t: Double, cap: Double
    ) -> CKernels_Sums {
        var total = CKernels_Sums()
        // In blocks: one long sum of like signs would lose the digits that the last passes need.
        for start in stride(from: 0, to: count, by: 256) {
            var block = CKernels_Sums()
            for i in start..<min(count, start + 256) {
                let u = offsets[i] + t
                guard u > 0 else { continue }
                let value = self(u)
                if value.power >= cap && cap < .infinity {
                    block.capped += 1
                } else {
                    block.sum += value.power
                    block.slope += value.slope
                }
            }
            total.sum += block.sum
            total.slope += block.slope
            total.capped += block.capped
        }
        return total
    }
}

/// The exponent of a request: which rule runs for its p.
enum Exponent {
    case linear
    case cubic
    case general(Double)

    /// e = 1 / (p - 1).
    var e: Double {
        switch self {
        case .linear: 1
        case .cubic: 3
        case .general(let e): e
        }
    }

    /// 4/3 as the nearest double, the value that "4/3" and 1.3333333333333333 both mean.
    static let fourThirds = 4.0 / 3.0

    init(p: Double) {
        precondition(p > 1)
        if p == 2 {
            self = .linear
        } else if p == Self.fourThirds {
            self = .cubic
        } else {
            self = .general(1 / (p - 1))
        }
    }
}
