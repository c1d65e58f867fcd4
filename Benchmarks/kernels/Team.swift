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

/// What the solver pav does first: each row's scores, as doubles, and columns, sorted.
final class RowSorting {
    private let rowLength: Int
    private let unsorted: [Double]
    private let ascending: [Int32]
    private var scores: [Double]
    private var columns: [Int32]
    private var entries: [CKernels_SortEntry]

    init(_ x: DenseRows) {
        rowLength = x.rowLength
        unsorted = (0..<x.rowCount).flatMap { row in
            (0..<x.rowLength).map { x.value(row, $0) }
        }
        ascending = (0..<x.rowLength).map { Int32($0) }
        scores = Array(repeating: 0, count: x.rowLength)
        columns = ascending
        entries = Array(
            repeating: CKernels_SortEntry(key: 0, column: 0), count: 2 * x.rowLength)
    }

    func run() {
        for start in stride(from: 0, to: unsorted.count, by: rowLength) {
            unsorted.withUnsafeBufferPointer { row in
                for i in 0..<rowLength { scores[i] = row[start + i] }
            }
            for i in 0..<rowLength { columns[i] = ascending[i] }
            CKernels_sort(&scores, &columns, rowLength, &entries)
        }
    }
}
