import CKernels
import Glibc

/// u -> u^e and its derivative for e = q - 1 = 1 / (p - 1), one type a closed form so that the
/// solver's loop is compiled for it.
protocol PowerRule {
    /// e itself.
    var e: Double { get }
    /// (u^e, e u^(e-1)) for u > 0.
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double)
    /// `CKernels_sums_...` of this rule.
    static var sums: SumsKernel { get }
    /// `CKernels_emit_...` of this rule.
    static var emit: EmitKernel { get }
}

typealias SumsKernel =
    @convention(c) (UnsafePointer<Double>?, Int, Double, Double, Double) -> CKernels_Sums
typealias EmitKernel =
    @convention(c) (
        UnsafePointer<CKernels_Threshold>?, CKernels_Entries, UnsafeMutablePointer<Int>?
    ) -> Int

/// p = 2.
struct Linear: PowerRule {
    var e: Double { 1 }
    @inline(__always)
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double) { (u, 1) }
    static var sums: SumsKernel { CKernels_sums_linear }
    static var emit: EmitKernel { CKernels_emit_linear }
}

/// p = 4/3.
struct Cubic: PowerRule {
    var e: Double { 3 }
    @inline(__always)
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double) { (u * u * u, 3 * u * u) }
    static var sums: SumsKernel { CKernels_sums_cubic }
    static var emit: EmitKernel { CKernels_emit_cubic }
}

/// p = 3.
struct Root: PowerRule {
    var e: Double { 0.5 }
    @inline(__always)
    func callAsFunction(_ u: Double) -> (power: Double, slope: Double) {
        let power = u.squareRoot()
        return (power, 0.5 / power)
    }
    static var sums: SumsKernel { CKernels_sums_root }
    static var emit: EmitKernel { CKernels_emit_root }
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
    static var sums: SumsKernel { CKernels_sums_general }
    static var emit: EmitKernel { CKernels_emit_general }
}
