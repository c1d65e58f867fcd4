/// Dykstra's alternating projection for p = 2: isotonic regression by projecting on the pairs
/// (1,2) (3,4) ... and (2,3) (4,5) ... in turn, with correction terms (arXiv:2302.01425, section
/// 4.2, algorithm 2). Every pair of one turn is independent of the others.
///
/// The polar cone of a pair {v_i >= v_i+1} is a ray, so its correction is one multiplier mu_i >= 0.
/// With v = s - lambda u the state is u itself, and far scores cost no digits:
///
///     u_i = start_i - (mu_i - mu_(i-1)) / omega_i
///     mask:       omega = 1,             start = w
///     magnitude:  omega = 1 + lambda w,  start = w s / omega
///
/// Approximate until converged: an iteration that changes nothing has reached the exact solution,
/// and the answer tells the largest change of the last one.
struct Dykstra {
    let iterationsMax: Int
    /// A row has converged when no entry of its answer changed by more in one iteration; magnitude
    /// relative to the row's largest score.
    let tolerance: Double
    /// Asked every few milliseconds: a long row ends when nobody wants it any more.
    let context: RunContext

    /// Pairs between two questions.
    private static let pairsPerCheck = 1 << 20

    struct Report {
        var iterations = 0
        var residual = 0.0
    }

    /// What the turns work on; each array has one number an entry.
    struct State {
        let u: UnsafeMutablePointer<Double>
        let mu: UnsafeMutablePointer<Double>
        let omega: UnsafeMutablePointer<Double>
    }

    /// O(iterations * entries that are in a pool or beside one).
    func solve(
        _ row: IsotonicRow, _ state: State, into support: inout Support
    ) throws(OperatorError) -> Report {
        let pairs = max(row.count - 1, 0)
        for i in 0..<row.count {
            state.mu[i] = 0
            state.omega[i] = row.isMagnitude ? 1 + row.lambda * row.weights[i] : 1
            state.u[i] =
                row.weights[i] * (row.isMagnitude ? row.scores[i] / state.omega[i] : 1)
        }
        // Only pairs that are violated, or beside one that moved, can move.
        var low = pairs
        var high = 0
        for i in 0..<pairs where violation(i, row, state) > 0 {
            low = min(low, i)
            high = i + 1
        }
        // A change of u by 1 changes a mask by 1, and magnitude's answer by 1 + lambda.
        let unit = row.isMagnitude ? (1 + row.lambda) / max(row.scores[0], 0x1p-1000) : 1
        var report = Report()
        var pairsLeft = 0
        repeat {
            if pairsLeft <= 0 {
                try context.check()
                pairsLeft = Self.pairsPerCheck
            }
            pairsLeft -= high - low + 1
            report.iterations += 1
            report.residual = 0
            for parity in 0..<2 where low < high {
                let change = project(low..<high, parity, row, state)
                report.residual = max(report.residual, change * unit)
                low = max(0, low - 1)
                high = min(pairs, high + 1)
            }
        } while report.residual > tolerance && report.iterations < iterationsMax
        emit(row, state, to: &support)
        return report
    }

    /// (v_(i+1) - v_i) / lambda.
    @inline(__always)
    private func violation(_ i: Int, _ row: IsotonicRow, _ state: State) -> Double {
        state.u[i] - state.u[i + 1] - (row.scores[i] - row.scores[i + 1]) / row.lambda
    }

    /// One turn over the pairs (i, i+1) of `range` with i of this parity; the largest change of u.
    private func project(
        _ range: Range<Int>, _ parity: Int, _ row: IsotonicRow, _ state: State
    ) -> Double {
        var largest = 0.0
        for i in stride(
            from: range.lowerBound + (range.lowerBound + parity) % 2, to: range.upperBound, by: 2)
        {
            let reach = 1 / state.omega[i] + 1 / state.omega[i + 1]
            let next = max(0, state.mu[i] + violation(i, row, state) / reach)
            let change = next - state.mu[i]
            state.mu[i] = next
            state.u[i] -= change / state.omega[i]
            state.u[i + 1] += change / state.omega[i + 1]
            largest = max(largest, abs(change) / min(state.omega[i], state.omega[i + 1]))
        }
        return largest
    }

    /// Entries that a positive multiplier ties share a segment.
    private func emit(_ row: IsotonicRow, _ state: State, to support: inout Support) {
        var start = 0
        while start < row.count {
            var end = start + 1
            while end < row.count && state.mu[end - 1] > 0 { end += 1 }
            if end - start == 1 {
                let block = IsotonicRow.Block(
                    entries: start..<end, weight: row.weights[start], anchor: row.scores[start],
                    delta: state.u[start])
                row.emit(block, Linear(), to: &support)
            } else {
                emitTied(row, start..<end, state, to: &support)
            }
            start = end
        }
        support.endSegment(weight: 1)
    }

    private func emitTied(
        _ row: IsotonicRow, _ entries: Range<Int>, _ state: State, to support: inout Support
    ) {
        support.endSegment(weight: 1)
        var weight = 0.0
        for i in entries {
            weight += row.weights[i]
            let u = state.u[i]
            // Not converged, an entry may still be outside: its answer is 0.
            guard u > 0 else { continue }
            support.append(
                column: row.columns[i], score: row.scores[i] / row.unit.scale,
                weight: row.isMagnitude ? (row.lambda + 1) * u / row.unit.scale : u,
                slope: (1 / row.lambda).finite, level: (u * row.unit.levelScale).finite)
        }
        support.endSegment(weight: weight)
    }
}
