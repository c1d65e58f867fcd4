import Glibc

/// The plan of a sorted transport row by row, each on the band of columns that its entry may take,
/// with the sums T and U of either side of each boundary (see `SortedTransport`).
struct TransportRows {
    private let columns: Int
    /// p, and T_ij and U_ij of boundary j (behind column j), row-major; only bands are valid.
    private var p: [Double]
    private var lower: [Double]
    private var upper: [Double]
    /// Columns where p is above e^-60 of the row's largest: the rest changes nothing.
    private var bands: [Range<Int>]

    init(rowCount: Int, columns: Int) {
        self.columns = columns
        p = [Double](repeating: 0, count: rowCount * columns)
        lower = p
        upper = p
        bands = [Range<Int>](repeating: 0..<0, count: rowCount)
    }

    func weight(_ i: Int, _ j: Int) -> Double { bands[i].contains(j) ? p[i * columns + j] : 0 }

    mutating func fill(
        _ x: [Double], _ origins: [Double], _ offsets: [Double], _ sigma: Double,
        _ context: RunContext
    ) throws(OperatorError) {
        let columns = columns
        try p.withUnsafeMutableBufferPointer { (p) throws(OperatorError) in
            try lower.withUnsafeMutableBufferPointer { (lower) throws(OperatorError) in
                try upper.withUnsafeMutableBufferPointer { (upper) throws(OperatorError) in
                    for (i, x) in x.enumerated() {
                        try context.check(every: 4096, at: i)
                        let range = i * columns..<(i + 1) * columns
                        let row = UnsafeMutableBufferPointer(rebasing: p[range])
                        let band = Self.fill(row, x, origins, offsets, sigma)
                        bands[i] = band
                        var sum = 0.0
                        for j in band {
                            sum += row[j]
                            lower[range.lowerBound + j] = sum
                        }
                        sum = 0
                        for j in band.reversed() {
                            upper[range.lowerBound + j] = sum
                            sum += row[j]
                        }
                    }
                }
            }
        }
    }

    /// One row's p; returns its band.
    private static func fill(
        _ p: UnsafeMutableBufferPointer<Double>, _ x: Double, _ origins: [Double],
        _ offsets: [Double], _ sigma: Double
    ) -> Range<Int> {
        let limit = 1e300
        let above = { (j: Int) in
            min(max((x / 2 - origins[j] / 2) / (sigma / 2) - offsets[j], -limit), limit)
        }
        // From the column that is the likeliest where boundaries descend.
        var low = 0
        var high = origins.count
        while low < high {
            let middle = (low + high) / 2
            if above(middle) < 0 { low = middle + 1 } else { high = middle }
        }
        let best = low
        p[best] = 0
        var largest = 0.0
        var log = 0.0
        while low > 0 && log > largest - 60 {
            low -= 1
            log += above(low)
            p[low] = log
            largest = max(largest, log)
        }
        log = 0
        high = best
        while high < origins.count && log > largest - 60 {
            log -= above(high)
            high += 1
            p[high] = log
            largest = max(largest, log)
        }
        var total = 0.0
        for j in low...high {
            p[j] = exp(p[j] - largest)
            total += p[j]
        }
        for j in low...high { p[j] /= total }
        return low..<high + 1
    }

    /// F: entries that are more than half beyond a boundary count as one less what they lack.
    func residual(_ context: RunContext) throws(OperatorError) -> [Double] {
        var small = [Double](repeating: 0, count: columns - 1)
        // Whole entries from a column on, counted up at the end.
        var whole = [Int](repeating: 0, count: columns + 1)
        for (i, band) in bands.enumerated() {
            try context.check(every: 4096, at: i)
            let start = i * columns
            whole[band.upperBound - 1] += 1
            for j in band.lowerBound..<band.upperBound - 1 {
                let (t, u) = (lower[start + j], upper[start + j])
                if t < u {
                    small[j] += t
                } else {
                    small[j] -= u
                    whole[j] += 1
                    whole[j + 1] -= 1
                }
            }
        }
        var count = 0
        for j in small.indices {
            count += whole[j]
            small[j] += Double(count - (j + 1))
        }
        return small
    }

    /// H, to be solved with.
    func covariance(_ context: RunContext) throws(OperatorError) -> Covariance {
        var matrix = Covariance(columns - 1, width: bands.reduce(1) { max($0, $1.count - 1) })
        // A band's square of products may be a few million.
        let rowsPerCheck = max(1, 1 << 20 / (matrix.width * matrix.width + 1))
        for (i, band) in bands.enumerated() {
            try context.check(every: rowsPerCheck, at: i)
            matrix.add(lower, upper, at: i * columns, band.lowerBound..<band.upperBound - 1)
        }
        try matrix.factorize(context)
        return matrix
    }

    /// The most that steps of the boundaries change one log p of an entry against another.
    func variation(_ steps: [Double]) -> Double {
        bands.reduce(0.0) { largest, band in
            var (sum, low, high) = (0.0, 0.0, 0.0)
            for j in band.lowerBound..<band.upperBound - 1 {
                sum += steps[j]
                low = min(low, sum)
                high = max(high, sum)
            }
            return max(largest, high - low)
        }
    }

    /// Q_il of each boundary in the entry's band.
    func eachSlope(_ i: Int, _ c: (Int) -> Double, _ body: (Int, Double) -> Void) {
        let start = i * columns
        let band = bands[i]
        var total = 0.0
        for j in band { total += p[start + j] * c(j) }
        // What is summed from the small end is exact: from below up to the middle, then from above.
        var below = 0.0
        var above = [Double](repeating: 0, count: band.count + 1)
        for j in band.reversed() {
            above[j - band.lowerBound] = above[j - band.lowerBound + 1] + p[start + j] * c(j)
        }
        for l in band.lowerBound..<band.upperBound - 1 {
            below += p[start + l] * c(l)
            let (t, u) = (lower[start + l], upper[start + l])
            // U sum_below - T sum_above = T U (mean below - mean above).
            body(l, u * below - t * above[l - band.lowerBound + 1])
        }
    }

    /// sum_l sum_j lambda_j T_i,min(j,l) U_i,max(j,l).
    func response(_ i: Int, _ lambda: [Double]) -> Double {
        let start = i * columns
        let inner = bands[i].lowerBound..<bands[i].upperBound - 1
        var below = 0.0
        var above = 0.0
        var total = 0.0
        for l in inner {
            below += lambda[l] * lower[start + l]
            total += upper[start + l] * below
        }
        for l in inner.reversed() {
            total += lower[start + l] * above
            above += lambda[l] * upper[start + l]
        }
        return total
    }
}
