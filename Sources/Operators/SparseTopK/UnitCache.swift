/// The last unit that was made: rows of one batch mostly share theirs, and exp2 and the like were a
/// tenth of the time of a short one.
struct UnitCache {
    private var power = Int.min
    private var lambda = 0.0
    private var e = 0.0
    private var unit = Unit(lambda: 1)

    mutating func unit(next: Double, lambda: Double, _ exponent: Exponent) -> Unit {
        let power = Int(next.exponent)
        if power != self.power || lambda != self.lambda || exponent.e != e {
            (self.power, self.lambda, e) = (power, lambda, exponent.e)
            unit = Unit(next: next, lambda: lambda, exponent)
        }
        return unit
    }
}
