import Glibc

/// Isotonic regression for general weights in wide arithmetic: blocks are pooled one by one, their
/// values found by bisection. Slow, short, and written apart from the kernels.
package enum ReferenceIsotonic {
    /// y in P(w), or magnitude's answer, for one finite row.
    ///
    /// - Parameter weights: w, non-increasing.
    package static func forward(
        _ op: String, _ x: [Double], weights: [Double], lambda: Double, p: Double
    ) -> [Double] {
        let isMagnitude = op == "magnitude"
        let s = x.map { Wide(isMagnitude ? abs($0) : $0) }
        let order = s.indices.sorted { s[$0] > s[$1] || (s[$0] == s[$1] && $0 < $1) }
        let e = 1 / (Wide(p) - 1)
        let lambda = Wide(lambda)
        var blocks: [(range: Range<Int>, v: Wide)] = []
        func value(_ range: Range<Int>) -> Wide {
            let scores = range.map { s[order[$0]] }
            let w = range.reduce(Wide(0)) { $0 + Wide(weights[$1]) }
            if w == 0 { return scores[0] }
            // Decreasing in v.
            func excess(_ v: Wide) -> Wide {
                let sum = scores.reduce(Wide(0)) {
                    $0 + ($1 > v ? pow(($1 - v) / lambda, e) : 0)
                }
                return sum - w * (isMagnitude ? v : 1)
            }
            var high = scores[0]
            var reach = lambda
            while excess(high - reach) < 0 { reach *= 2 }
            var low = high - reach
            for _ in 0..<140 {
                let middle = (low + high) / 2
                if excess(middle) > 0 { low = middle } else { high = middle }
            }
            return (low + high) / 2
        }
        for i in order.indices {
            var range = i..<i + 1
            var v = value(range)
            while let last = blocks.last, last.v < v {
                range = last.range.lowerBound..<i + 1
                blocks.removeLast()
                v = value(range)
            }
            blocks.append((range, v))
        }
        var answer = [Double](repeating: 0, count: x.count)
        for (range, v) in blocks {
            for i in range {
                let u = max(0, (s[order[i]] - v) / lambda)
                let y = u > 0 ? pow(u, e) : 0
                let column = order[i]
                switch op {
                case "mask": answer[column] = Double(y)
                case "values": answer[column] = Double(Wide(x[column]) * y)
                default: answer[column] = (x[column] < 0 ? -1 : 1) * Double(y + lambda * u)
                }
            }
        }
        return answer
    }
}
