import Glibc

/// The unit that scores are measured in while a row is solved.
///
/// magnitude is invariant under s -> a s, lambda -> a^(2-p) lambda (answers scale by a, D stays):
/// with s_{k+1} in [1, 2) neither lambda s^(p-1) nor theta leaves the range of doubles.
struct Unit {
    /// a, a power of two: scaling rounds nothing.
    let scale: Double
    let lambda: Double
    /// What brings u back to the scores' own unit.
    let levelScale: Double

    /// The scores' own unit, for mask.
    init(lambda: Double) {
        scale = 1
        self.lambda = lambda
        levelScale = 1
    }

    /// - Parameters:
    ///   - next: s_{k+1} > 0, or another score that blocks lie around.
    ///   - largest: a score that has to stay finite.
    init(next: Double, largest: Double? = nil, lambda: Double, _ exponent: Exponent) {
        let room = 1000 - Int((largest ?? next).exponent)
        let power = max(-1000, min(1000, room, -Int(next.exponent)))
        scale = Double(sign: .plus, exponent: power, significand: 1)
        // a^((2-p)/2), applied twice: its square may leave the range where the product does not.
        let root: Double =
            switch exponent {
            case .linear: 1
            case .cubic: exp2(Double(power) / 3)
            case .root, .general: exp2(Double(power) * (1 - 1 / exponent.e) / 2)
            }
        // Beyond these bounds an answer for k ones no longer depends on lambda, to rounding.
        self.lambda = min(max(lambda * root * root, 0x1p-600), 0x1p900)
        // u = (s - theta) / lambda; a power of two and the ratio of the lambdas.
        levelScale = (self.lambda / lambda / scale).finite
    }
}
