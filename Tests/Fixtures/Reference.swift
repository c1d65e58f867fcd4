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

    /// Where an entry is in the solution.
    enum State: Equatable {
        case out
        /// u, in (0, cap).
        case active(Wide)
        case capped
    }

    static func states(
        _ s: [Wide], _ k: Int, _ lambda: Wide, _ p: Wide, isMagnitude: Bool
    ) -> [State] {
        let sorted = s.sorted(by: >)
        let isHard =
            k == s.count || (isMagnitude && sorted[k] == 0)
            || sorted[k - 1] - sorted[k]
                >= lambda * (isMagnitude ? power(sorted[k], p - 1) : 1)
        if isHard { return hard(s, k).map { $0 ? .capped : .out } }
        let row = Row(s: s, k: Wide(k), lambda: lambda, e: 1 / (p - 1), isMagnitude: isMagnitude)
        let (anchor, t) = row.root()
        let cap = isMagnitude ? anchor - lambda * t : 1
        return s.map { score in
            let u = (score - anchor) / lambda + t
            if u <= 0 { return .out }
            return power(u, row.e) >= cap ? .capped : .active(u)
        }
    }

    private static func mask(_ x: [Wide], _ k: Int, _ lambda: Wide, _ p: Wide) -> [Wide] {
        states(x, k, lambda, p, isMagnitude: false).map { state in
            switch state {
            case .out: 0
            case .active(let u): power(u, 1 / (p - 1))
            case .capped: 1
            }
        }
    }

    private static func magnitude(_ x: [Wide], _ k: Int, _ lambda: Wide, _ p: Wide) -> [Wide] {
        let states = states(x.map { abs($0) }, k, lambda, p, isMagnitude: true)
        return zip(x, states).map { value, state in
            switch state {
            case .out: 0
            case .active(let u): (value < 0 ? -1 : 1) * (lambda * u + power(u, 1 / (p - 1)))
            case .capped: value
            }
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
