import Glibc

/// The Jacobian of one row as a whole matrix, in wide arithmetic, by the formulas of docs/MATH.md
/// written out: the slow and obvious way.
package struct ReferenceJacobian {
    /// rows[i][j] = d y_i / d x_j.
    private let rows: [[Wide]]
    /// d y_i / d lambda.
    private let byLambda: [Wide]
    /// The least active u: for p > 2 the derivative has no bound next to 0.
    package let clearance: Double
    /// Whether an entry changes its state when lambda changes by 1e-9 of itself: on a kink, either
    /// side is right.
    package let isOnKink: Bool

    /// - Parameter op: "mask", "values" or "magnitude".
    package init(_ op: String, _ x: [Double], k: Int, lambda: Double, p: Double) {
        let isMagnitude = op == "magnitude"
        let wide = x.map { Wide($0) }
        let lambda = Wide(lambda)
        let e = 1 / (Wide(p) - 1)
        let scores = isMagnitude ? wide.map { abs($0) } : wide
        func nearby(_ lambda: Wide) -> [Reference.State] {
            Reference.states(scores, k, lambda, Wide(p), isMagnitude: isMagnitude)
        }
        let states = nearby(lambda)
        let u = states.map { state -> Wide in
            if case .active(let u) = state { u } else { 0 }
        }
        let isActive = u.map { $0 > 0 }
        let capped = states.map { $0 == .capped }
        let d = u.map { $0 > 0 ? e * pow($0, e - 1) / lambda : 0 }
        let total = d.reduce(0, +)
        let average = zip(d, u).reduce(0) { $0 + $1.0 * $1.1 }
        let n = x.count
        var rows = [[Wide]](repeating: [Wide](repeating: 0, count: n), count: n)
        var byLambda = [Wide](repeating: 0, count: n)
        let weight = Wide(k - capped.count { $0 })
        let denominator = isMagnitude ? total + weight : total
        for i in 0..<n {
            let sign: Wide = x[i] < 0 ? -1 : 1
            if isMagnitude && capped[i] && x[i] != 0 { rows[i][i] = 1 }
            guard isActive[i] else { continue }
            let factor = isMagnitude ? 1 + d[i] : d[i]
            for j in 0..<n where isActive[j] {
                let other: Wide = x[j] < 0 ? -1 : 1
                let signs = isMagnitude ? sign * other : 1
                rows[i][j] = signs * factor * ((i == j ? 1 : 0) - d[j] / denominator)
            }
            byLambda[i] =
                (isMagnitude ? sign : 1) * (factor * average / denominator - d[i] * u[i])
        }
        if op == "values" {
            for i in 0..<n {
                for j in 0..<n { rows[i][j] *= wide[i] }
                rows[i][i] += capped[i] ? 1 : isActive[i] ? pow(u[i], e) : 0
                byLambda[i] *= wide[i]
            }
        }
        self.rows = rows
        self.byLambda = byLambda
        func kinds(_ states: [Reference.State]) -> [Int] {
            states.map { $0 == .out ? 0 : $0 == .capped ? 2 : 1 }
        }
        let here = kinds(states)
        isOnKink = [1 - 1e-9, 1 + 1e-9].contains { kinds(nearby(lambda * $0)) != here }
        clearance = Double(u.filter { $0 > 0 }.min() ?? 1)
    }

    /// J^T c.
    package func vjp(_ c: [Double]) -> [Double] {
        c.indices.map { j in
            Double(c.indices.reduce(Wide(0)) { $0 + rows[$1][j] * Wide(c[$1]) })
        }
    }

    /// J t.
    package func jvp(_ t: [Double]) -> [Double] {
        t.indices.map { i in
            Double(t.indices.reduce(Wide(0)) { $0 + rows[i][$1] * Wide(t[$1]) })
        }
    }

    /// <c, dy/dlambda>.
    package func lambdaGradient(_ c: [Double]) -> Double {
        Double(c.indices.reduce(Wide(0)) { $0 + byLambda[$1] * Wide(c[$1]) })
    }
}
