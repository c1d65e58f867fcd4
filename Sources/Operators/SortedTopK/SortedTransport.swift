import Glibc

/// One row of sorted SOFT top-k: entropic transport of n entries to anchors a_j = k - j (j < k, one
/// unit of mass each) and 0 (the other n - k), Xie et al. 2020, arXiv:2002.06504.
///
/// Legend: p_ij the plan times n, whose rows sum to 1; log p_ij - log p_i,j+1 = (x_i - beta_j) /
/// sigma with sigma = cost_scale eps / 2, so that beta_j is where column j gives way to the next.
/// T_ij = sum of p_il over l <= j, U_ij = 1 - T_ij, both summed up from their small end.
///
/// The boundaries solve F_j = sum_i T_ij - (j + 1) = 0, the gradient of a convex function, by
/// Newton's method: -dF_j / dbeta_l = H_jl / sigma with the positive definite
/// H_jl = sum_i T_i,min(j,l) U_i,max(j,l). Where gaps are wide, F_j and H_jj are both tiny, and
/// neither is a difference of large numbers: boundaries keep their digits, and so do gradients.
///
/// O(n b^2 + m w^2) for each of about ten steps: m columns, b of which an entry may take, w <= m.
struct SortedTransport {
    let k: Int
    let sigma: Double
    private let context: RunContext
    /// k, and one for what is left, if anything is.
    let columns: Int
    private let x: [Double]
    /// beta_j = origin_j + sigma offset_j: near entries are measured from nearby, exactly.
    private let origins: [Double]
    private var offsets: [Double]
    private var rows: TransportRows
    /// H at the solution, for gradients.
    private var covariance: Covariance?

    /// - Parameter x: finite, at least k numbers.
    /// - Parameter context: asked every few milliseconds, here and in all that follows.
    init(_ x: [Double], k: Int, sigma: Double, _ context: RunContext) throws(OperatorError) {
        precondition(k >= 1 && k <= x.count)
        self.x = x
        self.k = k
        self.sigma = sigma
        self.context = context
        columns = x.count > k ? k + 1 : k
        let sorted = try Self.largest(columns, of: x, context)
        // Midway: exact where all gaps are wide.
        origins = (0..<columns - 1).map { sorted[$0] / 2 + sorted[$0 + 1] / 2 }
        offsets = [Double](repeating: 0, count: columns - 1)
        rows = TransportRows(rowCount: x.count, columns: columns)
    }

    /// The largest entries in descending order; a few milliseconds at a time.
    private static func largest(
        _ count: Int, of x: [Double], _ context: RunContext
    ) throws(OperatorError) -> [Double] {
        let chunk = max(count, 1 << 16)
        var kept: [Double] = []
        for start in stride(from: 0, to: x.count, by: chunk) {
            try context.check()
            kept += x[start..<min(start + chunk, x.count)]
            kept.sort(by: >)
            kept.removeLast(max(0, kept.count - count))
        }
        return kept
    }

    private static let stepsMax = 300
    /// Changes of logits within which a full step is tried.
    private static let trust = 4.0

    /// Errors: `cancelled`; `notConverged`, which would be a bug.
    mutating func solve() throws(OperatorError) {
        try rows.fill(x, origins, offsets, sigma, context)
        guard columns > 1 else { return }
        for _ in 0..<Self.stepsMax {
            try context.check()
            let residual = try rows.residual(context)
            let steps = try rows.covariance(context).solve(residual)
            let largest = steps.reduce(0) { max($0, abs($1)) }
            // Within a unit of logits a full step is safe. Beyond, it is cut to what convexity
            // allows (Sun and Tran-Dinh 2019, for softmax), unless it proves itself.
            let reach = rows.variation(steps)
            let before = offsets
            let safe = reach > 1 ? log(1 + reach) / reach : 1
            move(from: before, steps, reach > Self.trust ? safe : 1)
            try rows.fill(x, origins, offsets, sigma, context)
            if largest < 1e-7 { break }
            let isCut = reach > Self.trust || reach <= 1
            if isCut { continue }
            if Self.norm(try rows.residual(context)) > 0.5 * Self.norm(residual) {
                move(from: before, steps, safe)
                try rows.fill(x, origins, offsets, sigma, context)
            }
        }
        let left = try rows.residual(context)
        guard left.allSatisfy({ abs($0) < 1e-9 }) else { throw .notConverged }
        covariance = try rows.covariance(context)
    }

    private mutating func move(from start: [Double], _ steps: [Double], _ length: Double) {
        for j in offsets.indices { offsets[j] = start[j] + length * steps[j] }
    }

    private static func norm(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + $1 * $1 }
    }

    /// p of entry i in column j.
    func weight(_ i: Int, _ j: Int) -> Double { rows.weight(i, j) }

    /// The product of the transposed Jacobian with a cotangent [n, k], by the implicit function
    /// theorem: with Q_il = T_il U_il (E(c | <= l) - E(c | > l)) and H lambda = sum_i Q_il,
    ///
    ///     g_i = sum_l (Q_il - sum_j lambda_j T_i,min U_i,max) / sigma
    func gradient(
        _ cotangent: (_ row: Int, _ column: Int) -> Double
    ) throws(OperatorError) -> [Double] {
        // Sums of huge numbers stay finite.
        var largest = 0.0
        for i in x.indices {
            try context.check(every: 4096, at: i)
            for j in 0..<k { largest = max(largest, abs(cotangent(i, j))) }
        }
        let scale = largest > 0x1p900 ? 0x1p-100 : 1
        func c(_ i: Int, _ j: Int) -> Double { j < k ? scale * cotangent(i, j) : 0 }
        guard let covariance else { return [Double](repeating: 0, count: x.count) }
        var sums = [Double](repeating: 0, count: columns - 1)
        for i in x.indices {
            try context.check(every: 4096, at: i)
            rows.eachSlope(i, { c(i, $0) }) { l, q in sums[l] += q }
        }
        let lambda = covariance.solve(sums)
        var gradient: [Double] = []
        gradient.reserveCapacity(x.count)
        for i in x.indices {
            try context.check(every: 4096, at: i)
            var total = 0.0
            rows.eachSlope(i, { c(i, $0) }) { _, q in total += q }
            gradient.append((total - rows.response(i, lambda)) / sigma / scale)
        }
        return gradient
    }
}
