/// A positive definite matrix with few diagonals, solved by Cholesky's method on the matrix of
/// correlations: its rows may differ by hundreds of orders of magnitude.
struct Covariance {
    private let count: Int
    /// Diagonals beside the main one.
    let width: Int
    /// Row j: entries (j, j) to (j, j + width).
    private var values: [Double]
    private var scales: [Double] = []

    init(_ count: Int, width: Int) {
        self.count = count
        self.width = min(width, count)
        values = [Double](repeating: 0, count: count * (self.width + 1))
    }

    /// Adds T_j U_l for j <= l of a band.
    mutating func add(_ lower: [Double], _ upper: [Double], at start: Int, _ band: Range<Int>) {
        let stride = width + 1
        values.withUnsafeMutableBufferPointer { values in
            lower.withUnsafeBufferPointer { lower in
                upper.withUnsafeBufferPointer { upper in
                    for j in band {
                        let t = lower[start + j]
                        let row = j * stride - j
                        for l in j..<band.upperBound { values[row + l] += t * upper[start + l] }
                    }
                }
            }
        }
    }

    /// Turns it into its factor R, R^T R = D H D. O(count width^2).
    ///
    /// - Parameter context: asked every few milliseconds.
    mutating func factorize(_ context: RunContext) throws(OperatorError) {
        let stride = width + 1
        scales = (0..<count).map { j in
            values[j * stride] > 0 ? 1 / values[j * stride].squareRoot() : 0
        }
        for j in 0..<count {
            for l in j..<min(count, j + stride) {
                values[j * stride + l - j] *= scales[j]
                values[j * stride + l - j] *= scales[l]
            }
        }
        let count = count
        let columnsPerCheck = max(1, 1 << 20 / (width * width + 1))
        try values.withUnsafeMutableBufferPointer { (factor) throws(OperatorError) in
            for j in 0..<count {
                try context.check(every: columnsPerCheck, at: j)
                let pivot = factor[j * stride]
                let inverse = pivot > 1e-13 ? 1 / pivot.squareRoot() : 0
                let end = min(count, j + stride)
                for l in j..<end { factor[j * stride + l - j] *= inverse }
                for a in j + 1..<max(end, j + 1) {
                    let share = factor[j * stride + a - j]
                    if share == 0 { continue }
                    for l in a..<end {
                        factor[a * stride + l - a] -= share * factor[j * stride + l - j]
                    }
                }
            }
        }
    }

    /// After `factorize`. O(count width). Rows without any variance, and those that others say all
    /// of, answer 0.
    func solve(_ right: [Double]) -> [Double] {
        let stride = width + 1
        let factor = values
        var solution = (0..<count).map { right[$0] * scales[$0] }
        for j in 0..<count {
            let pivot = factor[j * stride]
            solution[j] = pivot > 0 ? solution[j] / pivot : 0
            for l in j + 1..<max(min(count, j + stride), j + 1) {
                solution[l] -= factor[j * stride + l - j] * solution[j]
            }
        }
        for j in (0..<count).reversed() {
            var sum = solution[j]
            for l in j + 1..<max(min(count, j + stride), j + 1) {
                sum -= factor[j * stride + l - j] * solution[l]
            }
            let pivot = factor[j * stride]
            solution[j] = pivot > 0 ? sum / pivot : 0
        }
        return (0..<count).map { solution[$0] * scales[$0] }
    }
}
