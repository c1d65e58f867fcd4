import Glibc

/// u -> u^e and its derivative for e = q - 1 = 1 / (p - 1), one type a closed form so that the
/// solver's loop is compiled for it.
protocol PowerRule {
    /// e itself.
    var e: Double { get }
    /// (u^e, e u^(e-1)) for u > 0.
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double)
}

/// p = 2.
struct Linear: PowerRule {
    var e: Double { 1 }
    @inline(__always)
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double) { (u, 1) }
}

/// p = 4/3.
struct Cubic: PowerRule {
    var e: Double { 3 }
    @inline(__always)
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double) { (u * u * u, 3 * u * u) }
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
}

/// The exponent of a request: which rule runs for its p.
enum Exponent {
    case linear
    case cubic
    case general(Double)

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
