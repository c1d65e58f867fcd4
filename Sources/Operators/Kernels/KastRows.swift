import CKernels

/// Top-KAST (Jayakumar et al. 2021, arXiv:2106.03517): weights that act, A, within weights that
/// learn, B; both by magnitude from one order. Legend: theta a row of x, D the forward density.
struct KastRows {
    struct Penalty {
        let strength: Double
        /// |theta| instead of theta^2 / 2.
        let isL1: Bool
    }

    /// Which entries of a unit (a row, or all of them) form A and B, ascending.
    struct Masks {
        var forward: [Int32]
        var backward: [Int32]
    }

    /// The k_forward and k_backward largest magnitudes of the numbers of a unit.
    static func select<S: KernelScalar>(
        _ theta: UnsafeBufferPointer<S>, forward: Int, backward: Int, _ workspace: Workspace
    ) -> Masks {
        _ = HardSelection.select(theta, k: backward, workspace)
        let columns = workspace.columns.pointer
        let outer = Array(UnsafeBufferPointer(start: columns, count: backward))
        guard forward < backward else { return Masks(forward: outer, backward: outer) }
        _ = HardSelection.narrow(count: backward, k: forward, workspace)
        let inner = Array(UnsafeBufferPointer(start: columns, count: forward))
        return Masks(forward: inner, backward: outer)
    }

    /// Appends the answer of one row and what comes with it.
    ///
    /// R = strength (sum over A of r + (1/D) sum over B \ A of r), r = theta^2 / 2 or |theta|.
    static func append<S: KernelScalar>(
        _ theta: UnsafeBufferPointer<S>, forward: ArraySlice<Int32>, backward: ArraySlice<Int32>,
        density: Double, _ penalty: Penalty, to output: OperatorOutput, _ workspace: Workspace
    ) {
        let columns = workspace.columns.reserve(backward.count + 1)
        let values = workspace.products.reserve(backward.count + 1)
        for (i, column) in forward.enumerated() {
            columns[i] = column
            values[i] = Double(theta[Int(column)])
        }
        output.answer.appendRow(count: forward.count, columns, values)
        output["forward_mask"]?.append(columns: forward)
        output["backward_mask"]?.append(columns: backward)

        var inner = 0.0
        var outer = 0.0
        var next = forward.startIndex
        for (i, column) in backward.enumerated() {
            let value = Double(theta[Int(column)])
            let size = penalty.isL1 ? abs(value) : value * value / 2
            let slope = penalty.isL1 ? Double(value > 0 ? 1 : value < 0 ? -1 : 0) : value
            columns[i] = column
            if next < forward.endIndex && forward[next] == column {
                next += 1
                inner += size
                values[i] = penalty.strength * slope
            } else {
                outer += size
                values[i] = bounded(penalty.strength * slope / density)
            }
        }
        // Without a strength there is no penalty, however large the weights.
        let total = penalty.strength > 0 ? penalty.strength * (inner + outer / density) : 0
        output["penalty"]?.append(number: bounded(total))
        output["penalty_gradient"]?.appendRow(count: backward.count, columns, values)
    }

    private static func bounded(_ value: Double) -> Double {
        let limit = Double.greatestFiniteMagnitude
        return min(max(value, -limit), limit)
    }
}
