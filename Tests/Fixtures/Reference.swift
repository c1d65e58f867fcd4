import Glibc

#if arch(x86_64)
    /// The reference computes in 80 bits where the machine has them.
    package typealias Wide = Float80
#else
    package typealias Wide = Double
#endif

/// The definition itself, by sorting and plain bisection in wide arithmetic: slow, short, and
/// written apart from the kernels. MATH.md, "the threshold view".
package enum Reference {
    /// The answer of `op` ("mask", "values" or "magnitude") for one finite row.
    package static func forward(
        _ op: String, _ x: [Double], k: Int, lambda: Double, p: Double
    ) -> [Double] {
        switch op {
        case "mask":
            return mask(x.map { Wide($0) }, k, Wide(lambda), Wide(p)).map { Double($0) }
        case "values":
            let y = mask(x.map { Wide($0) }, k, Wide(lambda), Wide(p))
            return zip(x, y).map { Double(Wide($0) * $1) }
        default:
            return magnitude(x.map { Wide($0) }, k, Wide(lambda), Wide(p)).map { Double($0) }
        }
    }

    private static func power(_ u: Wide, _ e: Wide) -> Wide { u > 0 ? pow(u, e) : 0 }

    /// The k largest, the lower index first among equals.
    private static func hard(_ s: [Wide], _ k: Int) -> [Bool] {
        let order = s.indices.sorted { s[$0] > s[$1] || (s[$0] == s[$1] && $0 < $1) }
        var chosen = [Bool](repeating: false, count: s.count)
        for i in order.prefix(k) { chosen[i] = true }
        return chosen
    }

    private static func mask(_ x: [Wide], _ k: Int, _ lambda: Wide, _ p: Wide) -> [Wide] {
        let sorted = x.sorted(by: >)
        if k == x.count || sorted[k - 1] - sorted[k] >= lambda {
            return hard(x, k).map { $0 ? 1 : 0 }
        }
        let row = Row(s: x, k: Wide(k), lambda: lambda, e: 1 / (p - 1), isMagnitude: false)
        let (anchor, t) = row.root()
        return x.map { min(1, power(($0 - anchor) / lambda + t, row.e)) }
    }

    private static func magnitude(_ x: [Wide], _ k: Int, _ lambda: Wide, _ p: Wide) -> [Wide] {
        let s = x.map { abs($0) }
        let sorted = s.sorted(by: >)
        let isHard =
            k == x.count || sorted[k] == 0
            || sorted[k - 1] - sorted[k] >= lambda * power(sorted[k], p - 1)
        if isHard { return zip(x, hard(s, k)).map { $1 ? $0 : 0 } }
        let row = Row(s: s, k: Wide(k), lambda: lambda, e: 1 / (p - 1), isMagnitude: true)
        let (anchor, t) = row.root()
        return zip(x, s).map { value, score in
            let u = max(0, (score - anchor) / lambda + t)
            if power(u, row.e) >= anchor - lambda * t { return value }
            return (value < 0 ? -1 : 1) * (lambda * u + power(u, row.e))
        }
    }

    /// The equation of one row: F(t) = sum min(u^e, cap) - k cap, u = (s - anchor)/lambda + t.
    private struct Row {
        let s: [Wide]
        let k: Wide
        let lambda: Wide
        let e: Wide
        let isMagnitude: Bool

        func excess(_ anchor: Wide, _ t: Wide) -> Wide {
            let cap = isMagnitude ? anchor - lambda * t : 1
            // Capped entries are counted, not summed: their rounding would drown the small ones.
            let weights = s.map { power(($0 - anchor) / lambda + t, e) }
            let capped = weights.filter { $0 >= cap }.count
            return weights.reduce(0) { $0 + ($1 < cap ? $1 : 0) } - (k - Wide(capped)) * cap
        }

        /// The smallest active score as the anchor, and t from there: no digit is lost even where
        /// u^e has an infinite slope. Where theta is far below that score, the anchor is 0.
        func root() -> (anchor: Wide, t: Wide) {
            let distinct = Set(s).filter { !isMagnitude || $0 > 0 }.sorted(by: >)
            let active = distinct.prefix { excess($0, 0) < 0 }
            let anchor = active.last!
            let below = distinct.count > active.count ? distinct[active.count] : 0
            let isLowest = distinct.count == active.count && !isMagnitude
            let reach = isLowest ? 1 : (anchor - below) / lambda
            if isMagnitude && below < anchor / 2 && excess(anchor, anchor / (2 * lambda)) < 0 {
                let t = bisect(-700, 0) { excess(0, -anchor * exp($0) / lambda) > 0 }
                return (0, -anchor * exp(t) / lambda)
            }
            let t = bisect(-3000, 0) { excess(anchor, reach * exp($0)) < 0 }
            return (anchor, reach * exp(t))
        }

        private func bisect(_ low: Wide, _ high: Wide, _ isBelow: (Wide) -> Bool) -> Wide {
            var low = low
            var high = high
            for _ in 0..<100 {
                let middle = (low + high) / 2
                if isBelow(middle) { low = middle } else { high = middle }
            }
            return (low + high) / 2
        }
    }
}

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
