import Glibc

/// Entropic optimal transport by Sinkhorn's loop, in logarithms: what the SOFT top-k operators are
/// published with, written anew. The peer of the closed form, in tests.
package enum Sinkhorn {
    /// n times the plan between n entries of mass 1/n and the anchors, [n][anchors].
    ///
    /// - Parameters:
    ///   - masses: of the anchors, times n; they sum to n.
    ///   - cost: what (x_i - a_j)^2 is divided by.
    package static func plan(
        _ x: [Double], anchors: [Double], masses: [Double], cost: Double, epsilon: Double,
        iterations: Int
    ) -> [[Double]] {
        let scores = x.map { value in
            anchors.map { -(value - $0) * (value - $0) / cost / epsilon }
        }
        var rows = [Double](repeating: 0, count: x.count)
        var columns = [Double](repeating: 0, count: anchors.count)
        for _ in 0..<iterations {
            for i in x.indices {
                rows[i] = -logSum(anchors.indices.map { scores[i][$0] + columns[$0] })
            }
            for j in anchors.indices {
                columns[j] = log(masses[j]) - logSum(x.indices.map { scores[$0][j] + rows[$0] })
            }
        }
        return x.indices.map { i in
            anchors.indices.map { exp(scores[i][$0] + rows[i] + columns[$0]) }
        }
    }

    private static func logSum(_ values: [Double]) -> Double {
        let largest = values.max() ?? 0
        return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
    }
}
