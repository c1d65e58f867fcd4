/// One block's parameters, read once.
struct TopKastChoice {
    let isGlobal: Bool
    let penalty: KastRows.Penalty
    /// A and B as the request gave them.
    let given: (forward: IndexLists, backward: IndexLists)?
    private let forwardCount: Int?
    private let backwardCount: Int?
    private let forwardDensity: Double?
    private let extraDensity: Double
    private let explores: Bool

    init(_ block: borrowing RowBlock) {
        let parameters = block.parameters
        isGlobal = parameters[TopKastParameters.scope].word == "global"
        penalty = KastRows.Penalty(
            strength: parameters[TopKastParameters.strength].number(row: 0),
            isL1: parameters[TopKastParameters.kind].word == "l1")
        explores = parameters[TopKastParameters.explore].boolean
        let has = { (spec: ParameterSpec) in parameters.isGiven(spec.name) }
        forwardCount =
            has(TopKastParameters.forwardCount)
            ? parameters[TopKastParameters.forwardCount].integer(row: 0) : nil
        backwardCount =
            has(TopKastParameters.backwardCount)
            ? parameters[TopKastParameters.backwardCount].integer(row: 0) : nil
        forwardDensity =
            has(TopKastParameters.forwardDensity)
            ? parameters[TopKastParameters.forwardDensity].number(row: 0) : nil
        extraDensity = parameters[TopKastParameters.extraDensity].number(row: 0)
        if let forward = block.inputs[0]?.lists {
            let backward = explores ? block.inputs[1]?.lists : forward
            given = (forward, backward ?? forward)
        } else {
            given = nil
        }
    }

    /// The sizes of A and B among `count` entries.
    func counts(_ count: Int) -> (forward: Int, backward: Int) {
        let share = forwardDensity ?? 1
        let forward = forwardCount ?? Self.count(share, of: count)
        guard explores else { return (forward, forward) }
        let backward =
            forwardCount == nil
            ? Self.count(share + extraDensity, of: count) : backwardCount ?? forward
        return (forward, max(forward, backward))
    }

    private static func count(_ density: Double, of count: Int) -> Int {
        min(max(Int((density * Double(count) + 0.5).rounded(.down)), 1), count)
    }

    /// D of a unit of `count` entries.
    func density(_ rows: Range<Int>, _ count: Int) -> Double {
        if let forwardDensity { return forwardDensity }
        let size =
            given.map { given in rows.reduce(0) { $0 + given.forward.row($1).count } }
            ?? counts(count).forward
        return Double(size) / Double(count)
    }

    /// Looks at all rows of a unit; where they compete, returns the sets of all of them.
    func prepare<S: KernelScalar>(
        _ theta: UnsafePointer<S>, rows: Int, rowLength n: Int, _ scratch: TopKastScratch
    ) -> (forward: [Int32], backward: [Int32])? {
        guard given == nil else { return nil }
        guard isGlobal else {
            let k = counts(n).backward
            scratch.shortTops.find(
                theta, rows: rows, rowLength: n, kMax: k, isAbsolute: true)
            return nil
        }
        let counts = counts(rows * n)
        let all = KastRows.select(
            UnsafeBufferPointer(start: theta, count: rows * n), forward: counts.forward,
            backward: counts.backward, nil, scratch)
        // Rows overwrite what they share.
        return (Array(all.forward), Array(all.backward))
    }

    /// The sets of a row, the index-th of those that were prepared.
    func masks<S: KernelScalar>(
        _ row: Int, _ theta: UnsafeBufferPointer<S>, index: Int, _ scratch: TopKastScratch
    ) -> KastRows.Masks {
        if let given {
            return KastRows.copy(
                forward: given.forward.row(row), backward: given.backward.row(row), from: 0,
                scratch)
        }
        let counts = counts(theta.count)
        return KastRows.select(
            theta, forward: counts.forward, backward: counts.backward, index, scratch)
    }

    /// A row's part of the sets of all rows, whose numbers are counted through.
    func part(
        _ sets: (forward: [Int32], backward: [Int32]), from start: Int, rowLength n: Int,
        _ scratch: TopKastScratch
    ) -> KastRows.Masks {
        func part(_ columns: [Int32]) -> ArraySlice<Int32> {
            let low = Self.firstIndex(columns, atLeast: start)
            return columns[low..<Self.firstIndex(columns, atLeast: start + n)]
        }
        return KastRows.copy(
            forward: part(sets.forward), backward: part(sets.backward), from: start, scratch)
    }

    private static func firstIndex(_ columns: [Int32], atLeast bound: Int) -> Int {
        var low = 0
        var high = columns.count
        while low < high {
            let middle = (low + high) / 2
            if Int(columns[middle]) < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
