/// An array that comes beside x.
package enum InputTensor: Sendable {
    /// Numbers in rows, as x.
    case rows(DenseRows)
    /// Columns, a list of any length for each row of x.
    case lists(IndexLists)
    case document(Document)

    package var rows: DenseRows? {
        if case .rows(let rows) = self { return rows }
        return nil
    }

    package var lists: IndexLists? {
        if case .lists(let lists) = self { return lists }
        return nil
    }

    package var document: Document? {
        if case .document(let document) = self { return document }
        return nil
    }

    package var rowCount: Int {
        switch self {
        case .rows(let rows): rows.rowCount
        case .lists(let lists): lists.rowCount
        case .document: 1
        }
    }
}

/// Lists of column indices, one a row: row r has `indices[indptr[r]..<indptr[r + 1]]`.
package struct IndexLists: Sendable {
    package let indptr: [Int]
    /// Ascending within a row, whatever order they came in; not checked otherwise.
    package private(set) var indices: [Int32]
    /// As they came, where that was not ascending.
    private var received: [Int32]?

    package var rowCount: Int { indptr.count - 1 }

    /// - Parameter column: the i-th of a row, which is entry `entry` of all.
    package init<Failure: Error>(
        indptr: [Int], _ column: (_ row: Int, _ i: Int, _ entry: Int) throws(Failure) -> Int32
    ) throws(Failure) {
        var indices: [Int32] = []
        indices.reserveCapacity(indptr.last ?? 0)
        for row in 0..<indptr.count - 1 {
            for entry in indptr[row]..<indptr[row + 1] {
                indices.append(try column(row, entry - indptr[row], entry))
            }
        }
        self.init(indptr: indptr, indices: indices)
    }

    /// `indptr` ascends from 0 to the count of `indices`.
    package init(indptr: [Int], indices: [Int32]) {
        precondition(indptr.first == 0 && indptr.last == indices.count)
        self.indptr = indptr
        self.indices = indices
        for row in 0..<rowCount {
            let range = indptr[row]..<indptr[row + 1]
            let isAscending = range.dropFirst().allSatisfy { indices[$0 - 1] <= indices[$0] }
            if !isAscending {
                received = received ?? indices
                self.indices[range].sort()
            }
        }
    }

    /// Where in its row a column came last, for error messages.
    package func position(of column: Int32, row: Int) -> Int {
        let range = indptr[row]..<indptr[row + 1]
        let index = range.last { (received ?? indices)[$0] == column }
        return (index ?? range.lowerBound) - range.lowerBound
    }

    package func row(_ row: Int) -> ArraySlice<Int32> { indices[indptr[row]..<indptr[row + 1]] }
}
