import CKernels

/// Top-KAST (Jayakumar et al. 2021, arXiv:2106.03517): weights that act, A, within weights that
/// learn, B; both by magnitude from one order. Legend: theta a row of x, D the forward density.
struct KastRows {
    struct Penalty {
        let strength: Double
        /// |theta| instead of theta^2 / 2.
        let isL1: Bool
    }

    /// Which entries of a row form A and B, ascending.
    typealias Masks = (forward: UnsafeBufferPointer<Int32>, backward: UnsafeBufferPointer<Int32>)

    /// The `forward` and `backward` largest magnitudes of some numbers, in the scratch.
    ///
    /// - Parameter index: of the row among those that `scratch.shortTops` has looked at.
    static func select<S: KernelScalar>(
        _ theta: UnsafeBufferPointer<S>, forward: Int, backward: Int, _ index: Int?,
        _ scratch: TopKastScratch
    ) -> Masks {
        let known = { (k: Int) in index.flatMap { scratch.shortTops.kth(k, row: $0) } }
        _ = HardSelection.select(theta, k: backward, known: known(backward), &scratch.selection)
        let columns = scratch.selection.columns.pointer
        let outer = scratch.outerSet.reserve(backward)
        outer.update(from: columns, count: backward)
        let backwardSet = UnsafeBufferPointer(start: UnsafePointer(outer), count: backward)
        guard forward < backward else { return (backwardSet, backwardSet) }
        _ = HardSelection.narrow(
            count: backward, k: forward, known: known(forward), &scratch.selection)
        let inner = scratch.innerSet.reserve(forward)
        inner.update(from: columns, count: forward)
        return (UnsafeBufferPointer(start: UnsafePointer(inner), count: forward), backwardSet)
    }

    /// Sets that lie elsewhere, in the scratch.
    static func copy(
        forward: ArraySlice<Int32>, backward: ArraySlice<Int32>, from start: Int,
        _ scratch: TopKastScratch
    ) -> Masks {
        let inner = scratch.innerSet.reserve(forward.count)
        for (i, column) in forward.enumerated() { inner[i] = column - Int32(start) }
        let outer = scratch.outerSet.reserve(backward.count)
        for (i, column) in backward.enumerated() { outer[i] = column - Int32(start) }
        return (
            UnsafeBufferPointer(start: UnsafePointer(inner), count: forward.count),
            UnsafeBufferPointer(start: UnsafePointer(outer), count: backward.count)
        )
    }

    /// Where the outputs of a block go, looked up once.
    struct Outputs {
        let answer: SparseRows
        let forward, backward, penalty, gradient: SparseRows?

        init(_ output: OperatorOutput) {
            answer = output.answer
            forward = output["forward_mask"]
            backward = output["backward_mask"]
            penalty = output["penalty"]
            gradient = output["penalty_gradient"]
        }
    }

    /// Appends the answer of one row and what comes with it.
    ///
    /// R = strength (sum over A of r + (1/D) sum over B \ A of r), r = theta^2 / 2 or |theta|.
    static func append<S: KernelScalar>(
        _ theta: UnsafePointer<S>, _ masks: Masks, density: Double, _ penalty: Penalty,
        to output: Outputs, _ scratch: TopKastScratch
    ) {
        let values = scratch.values.reserve(masks.backward.count + 1)
        for (i, column) in masks.forward.enumerated() { values[i] = Double(theta[Int(column)]) }
        output.answer.appendRow(count: masks.forward.count, masks.forward.baseAddress, values)
        output.forward?.append(columns: masks.forward)
        output.backward?.append(columns: masks.backward)

        var inner = 0.0
        var outer = 0.0
        var next = 0
        for (i, column) in masks.backward.enumerated() {
            let value = Double(theta[Int(column)])
            // The strength first: the square alone may be no number.
            let size =
                penalty.isL1
                ? penalty.strength * abs(value) : penalty.strength * value * value / 2
            let slope = penalty.isL1 ? Double(value > 0 ? 1 : value < 0 ? -1 : 0) : value
            // Chosen between, not branched on: half of B is in A, in no order.
            let isInner = next < masks.forward.count && masks.forward[next] == column
            next += isInner ? 1 : 0
            inner += isInner ? size : 0
            outer += isInner ? 0 : size
            values[i] = bounded(penalty.strength * slope / (isInner ? 1 : density))
        }
        output.penalty?.append(number: bounded(inner + outer / density))
        output.gradient?.appendRow(
            count: masks.backward.count, masks.backward.baseAddress, values)
    }

    private static func bounded(_ value: Double) -> Double {
        let limit = Double.greatestFiniteMagnitude
        return min(max(value, -limit), limit)
    }
}
