/// 16-bit floats from and to `Double`, rounded once (through `Float` it would be twice).
enum HalfBits {
    /// IEEE half precision: 10 fraction bits, exponents -14 to 15.
    static func float16(_ value: Double) -> UInt16 {
        bits(value, fractionBits: 10, leastExponent: -14, greatest: 65504, infinity: 0x7c00)
    }

    /// bfloat16: 7 fraction bits, exponents -126 to 127.
    static func bfloat16(_ value: Double) -> UInt16 {
        bits(value, fractionBits: 7, leastExponent: -126, greatest: 0x1.fep127, infinity: 0x7f80)
    }

    static func value(float16 bits: UInt16) -> Double {
        value(bits, fractionBits: 10, leastExponent: -14, infinity: 0x7c00)
    }

    static func value(bfloat16 bits: UInt16) -> Double {
        Double(Float(bitPattern: UInt32(bits) << 16))
    }

    private static func bits(
        _ value: Double, fractionBits: Int, leastExponent: Int, greatest: Double, infinity: UInt16
    ) -> UInt16 {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        if value.isNaN { return infinity | 1 }
        if value.isInfinite { return sign | infinity }
        if value == 0 { return sign }
        let magnitude = min(value.magnitude, greatest)
        let exponent = max(Int(magnitude.exponent), leastExponent)
        // In units of the last place: at most 2^(fractionBits + 1), where the carry is right too.
        let quantum = Double(sign: .plus, exponent: exponent - fractionBits, significand: 1)
        let units = (magnitude / quantum).rounded(.toNearestOrEven)
        return sign | (UInt16(exponent - leastExponent) << fractionBits) + UInt16(units)
    }

    private static func value(
        _ bits: UInt16, fractionBits: Int, leastExponent: Int, infinity: UInt16
    ) -> Double {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let magnitude = bits & 0x7fff
        if magnitude >= infinity { return magnitude == infinity ? sign * .infinity : .nan }
        let field = Int(magnitude >> fractionBits)
        let fraction = Double(magnitude & (1 << fractionBits - 1))
        let exponent = max(field, 1) - 1 + leastExponent - fractionBits
        let units = field == 0 ? fraction : fraction + Double(1 << fractionBits)
        return sign * units * Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
