/// What the first pass over the rows of a batch looks for, where that is the maxima of groups.
package struct Selecting: Sendable {
    package let k: Int
    /// Whether by magnitude.
    package let isAbsolute: Bool
}

extension Selecting {
    /// nil where the operator has no such pass under these parameters: other solvers, k for each
    /// row, the smallest entries.
    package init?(_ op: any Operator, _ parameters: ParameterValues) {
        guard let op = op as? any SparseTopKOperator else { return nil }
        let isMagnitude = op.kind == .magnitude
        let settings = SparseTopKSettings.of(parameters, isMagnitude: isMagnitude)
        // Of all rows alike, of x and not of -x, by the solver that does not sort.
        guard let k = settings.k.shared, !settings.isSmallest,
            settings.choice == .auto || settings.choice == .threshold
        else { return nil }
        self.k = k
        isAbsolute = isMagnitude
    }
}

/// `Selection`'s first pass over x while x is still arriving and in the cache: of a row of
/// millions, reading it from memory takes most of the operator's time.
///
/// Used by the thread that receives, then by those that compute: the scheduler's lock lies between.
package final class EarlyMaxima: @unchecked Sendable {
    private let x: RawBuffer
    /// nil once they have been used.
    private var maxima: RawBuffer?
    private let dtype: DType
    private let rowCount: Int
    private let rowLength: Int
    private let height: Int
    private let isAbsolute: Bool
    /// The row that is arriving, and how many of its numbers have been looked at.
    private var row = 0
    private var seenCount = 0

    /// With fewer of them most of a row is read again, and nothing is gained: at 256x4096 and
    /// k = 64 a twentieth of the requests/s was lost.
    private static let blocksPerSelected = 4

    /// nil where they are of no use.
    ///
    /// - Parameters:
    ///   - x: begins with the rows.
    ///   - room: gives memory of so many bytes, or none.
    package init?(
        _ selecting: Selecting, _ x: RawBuffer, dtype: DType, _ shape: BatchShape,
        room: (_ byteCount: Int) -> RawBuffer?
    ) {
        guard dtype == .float32 || dtype == .float64,
            let height = Selection.height(rowLength: shape.rowLength, k: selecting.k)
        else { return nil }
        let blocks = shape.rowLength / Selection.blockLength(height: height)
        guard blocks >= Self.blocksPerSelected * selecting.k else { return nil }
        let groups = Selection.groupCount(rowLength: shape.rowLength, height: height)
        guard let maxima = room(shape.rowCount * groups * dtype.byteCount) else { return nil }
        self.x = x
        self.maxima = maxima
        self.dtype = dtype
        self.height = height
        rowCount = shape.rowCount
        rowLength = shape.rowLength
        isAbsolute = selecting.isAbsolute
    }

    /// The first `byteCount` bytes of x are there.
    package func arrived(byteCount: Int) {
        switch dtype {
        case .float64: look(Double.self, count: byteCount / dtype.byteCount)
        default: look(Float.self, count: byteCount / dtype.byteCount)
        }
    }

    /// Whole blocks, and what is left behind a row's last.
    private func look<S: KernelScalar>(_ type: S.Type, count: Int) {
        let step = Selection.blockLength(height: height)
        while row < rowCount {
            let first = row * rowLength
            let there = min(rowLength, count - first)
            let isWhole = there == rowLength
            let end = isWhole ? there : there - there % step
            guard end > seenCount else { return }
            guard let maxima = rowMaxima(row, S.self) else { return }
            let numbers = x.memory.assumingMemoryBound(to: S.self) + first
            _ = S.groupMaxima(
                numbers + seenCount, count: end - seenCount, height: height,
                isAbsolute: isAbsolute, maxima + seenCount / height)
            seenCount = isWhole ? 0 : end
            row += isWhole ? 1 : 0
        }
    }

    private func rowMaxima<S: KernelScalar>(_ row: Int, _ type: S.Type) -> UnsafeMutablePointer<S>?
    {
        let groups = Selection.groupCount(rowLength: rowLength, height: height)
        return maxima.map { $0.memory.assumingMemoryBound(to: S.self) + row * groups }
    }

    /// Bytes that they hold.
    var capacity: Int { maxima?.capacity ?? 0 }

    /// Gives their memory back; nobody looks at them any more.
    func release() { maxima = nil }

    /// A row's, if they are all there and of such groups.
    func maxima<S: KernelScalar>(
        _ row: Int, height: Int, isAbsolute: Bool, _ type: S.Type
    ) -> UnsafePointer<S>? {
        guard
            row < self.row && height == self.height && isAbsolute == self.isAbsolute
                && S.isStored(as: dtype)
        else { return nil }
        return rowMaxima(row, S.self).map { UnsafePointer($0) }
    }
}
