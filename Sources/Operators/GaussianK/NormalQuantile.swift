import Glibc

/// The normal distribution's upper quantile.
enum NormalQuantile {
    /// z with P(N(0, 1) > z) = p, for 0 < p <= 1/2, to the last digits.
    ///
    /// From a rational approximation that is off by less than 4.5e-4 (Abramowitz and Stegun
    /// 26.2.23), by Halley's method on erfc, whose error is cubed at each step.
    static func upper(_ p: Double) -> Double {
        precondition(p > 0 && p <= 0.5)
        if p == 0.5 { return 0 }
        let t = (-2 * log(p)).squareRoot()
        let numerator = 2.515517 + t * (0.802853 + t * 0.010328)
        let denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
        var z = t - numerator / denominator
        for _ in 0..<3 {
            let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
            guard density > 0 else { break }
            let step = (erfc(z / 2.0.squareRoot()) / 2 - p) / density
            z += step / (1 - z * step / 2)
        }
        return z
    }
}
