import Glibc

/// One row of sorted SOFT top-k: entropic transport of n entries to anchors a_j = k - j (j < k, one
/// unit of mass each) and 0 (the other n - k), Xie et al. 2020, arXiv:2002.06504.
///
/// Legend: z_i = (x_i - c) / sigma with sigma = cost_scale eps / 2; p_ij the plan times n, whose
/// rows sum to 1: log p_ij - log p_i,j+1 = z_i - beta_j, so that beta_j is where column j gives way
/// to the next; m columns. Solved by Newton's method on the convex semi-dual, whose Hessian is the
/// Laplacian of the graph with the weights W_ab = sum_i p_ia p_ib.
///
/// O(n b^2 + m^3) for each of about ten steps, b <= m the columns that an entry may take.
struct SortedTransport {
    let k: Int
    let sigma: Double
    /// k, and one for what is left, if anything is.
    let columns: Int
    /// Whether the columns' sums are what they should be, to 1e-9.
    private(set) var hasConverged = false

    private let z: [Double]
    private var beta: [Double]
    /// p, row by row; 0 outside of each row's band.
    private(set) var plan: [Double]
    /// The columns of each row where p is above e^-60 of its largest: the rest changes nothing.
    private var bands: [Range<Int32>]

    /// - Parameter x: finite, at least k numbers.
    init(_ x: [Double], k: Int, sigma: Double) {
        precondition(k >= 1 && k <= x.count)
        self.k = k
        self.sigma = sigma
        columns = x.count > k ? k + 1 : k
        let sorted = x.sorted(by: >)
        let centre = sorted[k - 1]
        let limit = 1e15
        let relative = { (value: Double) in
            min(max((value / 2 - centre / 2) / (sigma / 2), -limit), limit)
        }
        z = x.map { relative($0) }
        // Midway: exact where all gaps are wide.
        beta = (0..<columns - 1).map { relative(sorted[$0]) / 2 + relative(sorted[$0 + 1]) / 2 }
        plan = [Double](repeating: 0, count: x.count * columns)
        bands = [Range<Int32>](repeating: 0..<0, count: x.count)
    }

    private static let stepsMax = 200

    mutating func solve(_ cancellation: Cancellation) throws(OperatorError) {
        var residual = fill(beta)
        var norm = Self.norm(residual)
        for _ in 0..<Self.stepsMax where norm > 1e-15 && columns > 1 {
            try cancellation.check()
            // One more beyond the last digit, if it helps at all.
            let steps = laplacian().solve(residual)
            var length = 1.0
            var isBetter = false
            while !isBetter && length > 1e-6 {
                var moved = beta
                for j in moved.indices {
                    let step = length * ((j + 1 < columns - 1 ? steps[j + 1] : 0) - steps[j])
                    moved[j] += step
                }
                let next = fill(moved)
                let nextNorm = Self.norm(next)
                if nextNorm <= (1 - 1e-4 * length) * norm {
                    (beta, residual, norm) = (moved, next, nextNorm)
                    isBetter = true
                } else {
                    length /= 2
                }
            }
            if !isBetter { break }
        }
        _ = fill(beta)
        hasConverged = norm < 1e-9
    }

    /// Computes p; returns what each column but the last lacks of its mass.
    private mutating func fill(_ beta: [Double]) -> [Double] {
        let columns = columns
        var missing = [Double](repeating: 1, count: columns - 1)
        plan.withUnsafeMutableBufferPointer { plan in
            for (i, z) in z.enumerated() {
                let start = i * columns
                for j in bands[i] { plan[start + Int(j)] = 0 }
                let row = UnsafeMutableBufferPointer(rebasing: plan[start..<start + columns])
                bands[i] = Self.fill(row, z, beta)
                for j in bands[i] where j < columns - 1 { missing[Int(j)] -= row[Int(j)] }
            }
        }
        return missing
    }

    /// One row's p; returns its band.
    private static func fill(
        _ p: UnsafeMutableBufferPointer<Double>, _ z: Double, _ beta: [Double]
    ) -> Range<Int32> {
        // From the column that is the likeliest where boundaries descend.
        var low = 0
        var high = beta.count
        while low < high {
            let middle = (low + high) / 2
            if beta[middle] > z { low = middle + 1 } else { high = middle }
        }
        let best = low
        p[best] = 0
        var largest = 0.0
        var log = 0.0
        while low > 0 && log > largest - 60 {
            low -= 1
            log += z - beta[low]
            p[low] = log
            largest = max(largest, log)
        }
        log = 0
        high = best
        while high < beta.count && log > largest - 60 {
            log -= z - beta[high]
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
        return Int32(low)..<Int32(high + 1)
    }

    private static func norm(_ values: [Double]) -> Double {
        values.reduce(0) { max($0, abs($1)) }
    }

    private func laplacian() -> Laplacian {
        var laplacian = Laplacian(columns)
        plan.withUnsafeBufferPointer { plan in
            guard let p = plan.baseAddress else { return }
            for i in z.indices { laplacian.add(p + i * columns, bands[i]) }
        }
        return laplacian
    }

    /// The product of the transposed Jacobian with a cotangent [n, k], by the implicit function
    /// theorem on the columns' sums.
    func gradient(_ cotangent: (_ row: Int, _ column: Int) -> Double) -> [Double] {
        var b = plan
        var sums = [Double](repeating: 0, count: columns - 1)
        for i in z.indices {
            let start = i * columns
            let band = Int(bands[i].lowerBound)..<Int(bands[i].upperBound)
            var mean = 0.0
            for j in band where j < k { mean += plan[start + j] * cotangent(i, j) }
            for j in band {
                b[start + j] *= (j < k ? cotangent(i, j) : 0) - mean
                if j < sums.count { sums[j] += b[start + j] }
            }
        }
        let lambda = columns > 1 ? laplacian().solve(sums) + [0] : [0]
        return z.indices.map { i in
            let start = i * columns
            let band = Int(bands[i].lowerBound)..<Int(bands[i].upperBound)
            var mean = 0.0
            for j in band { mean += plan[start + j] * lambda[j] }
            var total = 0.0
            for j in band where j < k {
                let share = b[start + j] - plan[start + j] * (lambda[j] - mean)
                total += Double(k - j) * share
            }
            return total / sigma
        }
    }
}

/// A weighted graph's Laplacian, grounded at its last node, solved by eliminating nodes as in star
/// and mesh: only sums and products of positive numbers, so that even weights of 1e-300 keep all
/// their digits (Grassmann, Taksar and Heyman 1985).
struct Laplacian {
    private let count: Int
    /// Above the diagonal.
    private var weights: [Double]

    init(_ count: Int) {
        self.count = count
        weights = [Double](repeating: 0, count: count * count)
    }

    /// Adds p_a p_b to each edge within a band.
    mutating func add(_ p: UnsafePointer<Double>, _ band: Range<Int32>) {
        let high = Int(band.upperBound)
        weights.withUnsafeMutableBufferPointer { weights in
            for a in Int(band.lowerBound)..<high - 1 {
                let row = a * count
                for b in a + 1..<high { weights[row + b] += p[a] * p[b] }
            }
        }
    }

    /// Potentials of all nodes but the last, which is 0, for these inflows. O(count^3).
    func solve(_ inflow: [Double]) -> [Double] {
        var weights = weights
        var inflow = inflow
        var degrees = [Double](repeating: 0, count: count)
        for j in 0..<count - 1 {
            var degree = 0.0
            for l in j + 1..<count { degree += weights[j * count + l] }
            degrees[j] = degree
            // A node that is bound to none has no potential: nothing depends on it.
            guard degree > 0 else { continue }
            for a in j + 1..<count {
                let share = weights[j * count + a] / degree
                guard share > 0 else { continue }
                if a < count - 1 { inflow[a] += inflow[j] * share }
                for b in a + 1..<max(count, a + 1) {
                    weights[a * count + b] += share * weights[j * count + b]
                }
            }
        }
        var potentials = [Double](repeating: 0, count: count)
        for j in stride(from: count - 2, through: 0, by: -1) where degrees[j] > 0 {
            var total = inflow[j]
            for l in j + 1..<count { total += weights[j * count + l] * potentials[l] }
            potentials[j] = total / degrees[j]
            if !potentials[j].isFinite { potentials[j] = 0 }
        }
        return Array(potentials.dropLast())
    }
}
