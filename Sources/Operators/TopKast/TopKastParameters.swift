/// What top_kast takes: how many entries, or what share of them, or the sets themselves.
enum TopKastParameters {
    static let all = [
        forwardCount, backwardCount, forwardDensity, extraDensity, scope, kind, strength, explore,
    ]

    static let forwardCount = ParameterSpec(
        name: "k_forward", kind: .integer(minimum: 1, maximum: nil, atMostRowLength: false),
        isPerRow: false,
        defaultValue: .requiredWithout(["density_forward", "forward_mask"], isExclusive: false),
        unit: "entries", doc: "The size of A; of all rows together in scope global.")

    static let backwardCount = ParameterSpec(
        name: "k_backward", kind: .integer(minimum: 1, maximum: nil, atMostRowLength: false),
        isPerRow: false, defaultValue: .absent, unit: "entries",
        doc: "The size of B, with k_forward; left out, it is k_forward.")

    static let forwardDensity = ParameterSpec(
        name: "density_forward", kind: .number(minimum: 1e-12, maximum: 1), isPerRow: false,
        defaultValue: .absent, unit: "none",
        doc: "D, the share of A: its size is D n, rounded half up, at least 1. Beside counts or "
            + "masks it is only the penalty's D, which is else the share that A has.")

    static let extraDensity = ParameterSpec(
        name: "density_extra", kind: .number(minimum: 0, maximum: 1), isPerRow: false,
        defaultValue: .number(0, spelling: "0"), unit: "none",
        doc: "With density_forward: the share of B without A; both together at most 1.")

    static let scope = ParameterSpec(
        name: "scope", kind: .choice(["layer", "global"]), isPerRow: false,
        defaultValue: .word("layer"), unit: "none",
        doc: "Whether each row is a layer with sets of its own, or all rows compete.")

    static let kind = ParameterSpec(
        name: "reg_kind", kind: .choice(["l2", "l1"]), isPerRow: false,
        defaultValue: .word("l2"), unit: "none",
        doc: "The exploration penalty's r: theta^2 / 2, or |theta|.")

    static let strength = ParameterSpec(
        name: "reg_strength", kind: .number(minimum: 0, maximum: nil), isPerRow: false,
        defaultValue: .number(1e-4, spelling: "1e-4"), unit: "none",
        doc: "The exploration penalty's factor.")

    static let explore = ParameterSpec(
        name: "explore", kind: .boolean, isPerRow: false, defaultValue: .boolean(true),
        unit: "none", doc: "false stops exploration: B is A.")

    static let inputs = [
        TensorSpec(
            name: "forward_mask", shape: .indices, isRequired: false,
            doc: "A from an earlier answer, in place of a selection: the columns of each row."),
        TensorSpec(
            name: "backward_mask", shape: .indices, isRequired: false,
            doc: "B from an earlier answer, with forward_mask, which it contains."),
    ]

    static let outputs = [
        TensorSpec(
            name: "forward_mask", shape: .indices, isRequired: true,
            doc: "A: the columns of each row whose weights act."),
        TensorSpec(
            name: "backward_mask", shape: .indices, isRequired: true,
            doc: "B: the columns of each row that get gradients."),
        TensorSpec(
            name: "penalty", shape: .perRow, type: .float64, isRequired: true,
            doc: "Each row's part of the exploration penalty; the penalty is their sum."),
        TensorSpec(
            name: "penalty_gradient", shape: .sparse, isRequired: true,
            doc: "The penalty's gradient, on B."),
    ]

    /// What no single parameter can know.
    static func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError) {
        let isGlobal = parameters[scope].word == "global"
        let (total, overflow) = x.rowLength.multipliedReportingOverflow(by: x.rowCount)
        if isGlobal && (overflow || total > Int(Int32.max)) {
            throw .incompatible("scope", "global takes at most \(Int32.max) numbers of x together")
        }
        if let forward = inputs[0]?.lists {
            return try check(forward, inputs[1]?.lists, parameters, x, isGlobal)
        }
        if inputs[1] != nil {
            throw .incompatible("backward_mask", "it comes with the forward_mask that it contains")
        }
        try checkSizes(parameters, isGlobal ? total : x.rowLength)
    }

    private static func checkSizes(
        _ parameters: ParameterValues, _ count: Int
    ) throws(OperatorError) {
        if parameters.isGiven("k_forward") {
            let forward = parameters[forwardCount].integer(row: 0)
            if parameters.isGiven("density_extra") {
                throw .incompatible("density_extra", "k_forward and k_backward say the sizes")
            }
            if forward > count {
                throw .incompatible("k_forward", "is \(forward), of \(count) entries")
            }
            guard parameters.isGiven("k_backward") else { return }
            let backward = parameters[backwardCount].integer(row: 0)
            if backward < forward || backward > count {
                throw .incompatible(
                    "k_backward", "is \(backward), not from k_forward = \(forward) to \(count)")
            }
            return
        }
        if parameters.isGiven("k_backward") {
            throw .incompatible("k_backward", "it comes with k_forward")
        }
        let shares =
            parameters[forwardDensity].number(row: 0) + parameters[extraDensity].number(row: 0)
        // 0.9 + 0.1 and their like are one, give or take a rounding.
        if shares > 1 + 1e-12 {
            throw .incompatible(
                "density_extra", "with density_forward it is \(shares), more than 1")
        }
    }

    private static func check(
        _ forward: IndexLists, _ backward: IndexLists?, _ parameters: ParameterValues,
        _ x: BatchShape, _ isGlobal: Bool
    ) throws(OperatorError) {
        for name in ["k_forward", "k_backward", "density_extra"] where parameters.isGiven(name) {
            throw .incompatible(name, "the masks say the sizes; give one of them")
        }
        if backward == nil && parameters[explore].boolean {
            throw .incompatible(
                "forward_mask", "it comes with backward_mask, unless explore is off")
        }
        for row in 0..<x.rowCount {
            try checkDistinct(forward, row, "forward_mask")
            guard let backward else { continue }
            try checkDistinct(backward, row, "backward_mask")
            let outer = backward.row(row)
            var next = outer.startIndex
            for column in forward.row(row) {
                while next < outer.endIndex && outer[next] < column { next += 1 }
                if next == outer.endIndex || outer[next] != column {
                    throw .wrongInput(
                        "forward_mask", row: row,
                        column: forward.position(of: column, row: row),
                        expected: "a column of backward_mask", found: "\(column)")
                }
            }
        }
        guard !parameters.isGiven("density_forward") else { return }
        let isEmpty =
            isGlobal
            ? forward.indices.isEmpty : (0..<x.rowCount).contains { forward.row($0).isEmpty }
        if isEmpty {
            throw .incompatible("forward_mask", "with an empty set density_forward has to be given")
        }
    }

    private static func checkDistinct(
        _ lists: IndexLists, _ row: Int, _ name: String
    ) throws(OperatorError) {
        let columns = lists.row(row)
        for i in columns.indices.dropFirst() where columns[i] == columns[i - 1] {
            throw .wrongInput(
                name, row: row, column: lists.position(of: columns[i], row: row),
                expected: "distinct columns",
                found: "\(columns[i]) twice")
        }
    }
}
