import CKernels

/// Gradients of some short rows, one after the other: a segment for each row, and its gradient by
/// lambda.
struct ShortProducts: ~Copyable {
    private(set) var values = Scratch<Double>()
    private(set) var columns = Scratch<Int32>()
    private(set) var segments = Scratch<CKernels_Segment>()
    private(set) var gradients = Scratch<Double>()

    mutating func reserve(rows: Int) {
        // Written by fours.
        let room = rows * Int(CKernels_candidates_max) + 4
        _ = values.reserve(room)
        _ = columns.reserve(room)
        _ = segments.reserve(rows)
        _ = gradients.reserve(rows)
    }
}
