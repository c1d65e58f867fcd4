import CKernels
import Dispatch
import Operators
import Synchronization

/// Threads that share the blocks of a batch, each with its own workspace, as workers do.
final class Team: Sendable {
    private let members: [Member]

    private final class Member: @unchecked Sendable {
        let workspace = Workspace()
        let output = OperatorOutput()
    }

    init(_ count: Int) { members = (0..<count).map { _ in Member() } }

    func run(_ call: Call) {
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: members.count) { index in
            let member = members[index]
            while true {
                let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
                if block >= call.blockCount { return }
                do {
                    try call.computeBlock(block, member.workspace, member.output)
                } catch {
                    fatalError("\(error)")
                }
            }
        }
    }
}

/// What the solver pav does first: each row as doubles and columns, sorted.
final class RowSorting {
    private let x: DenseRows
    private var scores: [Double]
    private var columns: [Int32]
    private var entries: [CKernels_SortEntry]

    init(_ x: DenseRows) {
        self.x = x
        scores = Array(repeating: 0, count: x.rowLength)
        columns = Array(repeating: 0, count: x.rowLength)
        entries = Array(
            repeating: CKernels_SortEntry(key: 0, column: 0), count: 2 * x.rowLength)
    }

    func run() {
        for row in 0..<x.rowCount {
            for column in 0..<x.rowLength {
                scores[column] = x.value(row, column)
                columns[column] = Int32(column)
            }
            CKernels_sort(&scores, &columns, x.rowLength, &entries)
        }
    }
}
