import Operators

/// The computed answer: what each block of rows wrote, in the order of the blocks.
package struct InferenceResult: Sendable {
    package let request: InferenceRequest
    package let blocks: [OperatorOutput]

    package init(request: InferenceRequest, blocks: [OperatorOutput]) {
        self.request = request
        self.blocks = blocks
    }

    /// Rows of the answer: G * B, or B * n for [B, n, k].
    package var rowCount: Int { blocks.reduce(0) { $0 + $1.answer.rowCount } }

    /// Stored numbers.
    package var nonzeroCount: Int { blocks.reduce(0) { $0 + $1.answer.count } }

    /// Hands out the answer's rows in their final order (cotangent, then row), as runs of
    /// consecutive rows of one block: with one cotangent a run is a whole block.
    package func forEachRun(_ body: (SparseRows, Range<Int>) -> Void) {
        let stackCount = request.stackCount
        if stackCount == 1 {
            for block in blocks { body(block.answer, 0..<block.answer.rowCount) }
            return
        }
        // A block holds its rows' gradients row by row, the G of one row together.
        for g in 0..<stackCount {
            for block in blocks {
                for row in 0..<(block.answer.rowCount / stackCount) {
                    let index = row * stackCount + g
                    body(block.answer, index..<index + 1)
                }
            }
        }
    }
}
