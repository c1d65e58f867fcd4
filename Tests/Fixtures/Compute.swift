import Operators

/// Runs operators as a worker does, for tests that need no service.
package enum Compute {
    /// Parameters for one of the paper's operators; what is not named has its default.
    package static func parameters(
        _ op: any Operator, k: [Int] = [], lambda: [Double] = [0.1], p: Double = 4.0 / 3.0,
        shortRows: String = "error", _ more: [String: ParameterValue] = [:]
    ) -> ParameterValues {
        var named: [String: ParameterValue] = [
            "lambda": .numbers(lambda), "p": .numbers([p]), "short_rows": .word(shortRows),
        ]
        if !k.isEmpty { named["k"] = .integers(k) }
        named.merge(more) { $1 }
        return self.parameters(op, named)
    }

    /// Parameters of any operator by their names.
    package static func parameters(
        _ op: any Operator, _ named: [String: ParameterValue]
    ) -> ParameterValues {
        let values = op.descriptor.parameters.map { spec in
            named[spec.name] ?? spec.defaultParameter ?? .integers([0])
        }
        return ParameterValues(op.descriptor.parameters, values, given: Array(named.keys))
    }

    /// One block of all rows in any direction.
    ///
    /// - Parameters:
    ///   - stack: cotangents or tangents [G][B][n].
    ///   - weights: w, one row or one for each of x.
    package static func run(
        _ op: any Operator, _ direction: Direction, _ x: [[Double]], stack: [[[Double]]] = [],
        weights: [[Double]]? = nil, inputs named: [String: InputTensor] = [:],
        dtype: DType = .float64, _ parameters: ParameterValues, _ workspace: Workspace = Workspace()
    ) throws(OperatorError) -> OperatorOutput {
        var named = named
        named["w"] = weights.map { .rows(DenseRows($0, dtype: .float64)) }
        let inputs = op.descriptor.inputs.map { named[$0.name] }
        let rows = DenseRows(x, dtype: dtype)
        try op.check(parameters, rows.shape, inputs)
        let output = OperatorOutput()
        let n = x.first?.count ?? 0
        let length = direction == .vjp ? n : op.answerShape(rowLength: n, parameters).rowLength
        output.reset(
            dtype: dtype, rowLength: length, rowCapacity: x.count,
            op.outputs(direction, parameters))
        let block = RowBlock(
            x: rows, rows: 0..<x.count, parameters: parameters, inputs: inputs)
        let stacked =
            stack.isEmpty
            ? nil
            : StackedRows(DenseRows(stack.flatMap { $0 }, dtype: dtype), stackCount: stack.count)
        try op.run(direction, block, stacked, into: output, workspace)
        return output
    }

    /// Dense [B][n] answer.
    package static func forward(
        _ op: any Operator, _ x: [[Double]], weights: [[Double]]? = nil, dtype: DType = .float64,
        _ parameters: ParameterValues
    ) throws(OperatorError) -> [[Double]] {
        dense(try run(op, .forward, x, weights: weights, dtype: dtype, parameters).answer)
    }

    /// Dense [B][G][n] gradients for cotangents [G][B][n].
    package static func vjp(
        _ op: any Operator, _ x: [[Double]], _ cotangents: [[[Double]]], dtype: DType = .float64,
        _ parameters: ParameterValues
    ) throws(OperatorError) -> [[[Double]]] {
        let rows = dense(try run(op, .vjp, x, stack: cotangents, dtype: dtype, parameters).answer)
        let g = cotangents.count
        return (0..<x.count).map { row in Array(rows[row * g..<(row + 1) * g]) }
    }

    /// Scatters CSR into rows; checks the invariants that readers rely on.
    ///
    /// - Parameter isFull: rows that were stored with their zeros, without columns.
    package static func dense(
        _ rows: SparseRows, keepsZeros: Bool = false, isFull: Bool = false
    ) -> [[Double]] {
        (0..<rows.rowCount).map { row in
            if isFull {
                return (rows.indptr[row]..<rows.indptr[row + 1]).map {
                    rows.dtype.load(rows.data.baseAddress!, at: $0)
                }
            }
            var dense = [Double](repeating: 0, count: rows.rowLength)
            var last: Int32 = -1
            for i in rows.indptr[row]..<rows.indptr[row + 1] {
                let column = rows.indices[i]
                precondition(column > last && Int(column) < rows.rowLength, "indices must ascend")
                last = column
                dense[Int(column)] = rows.dtype.load(rows.data.baseAddress!, at: i)
                precondition(keepsZeros || dense[Int(column)] != 0, "zeros are not stored")
            }
            return dense
        }
    }

    /// The nearest numbers of a type.
    package static func rounded(_ values: [Double], _ dtype: DType) -> [Double] {
        Wire.numbers(Wire.bytes(values, dtype), dtype)
    }

    /// The numbers of an output of one number a row.
    package static func numbers(_ output: OperatorOutput, _ name: String) -> [Double] {
        output[name].map { dense($0, keepsZeros: true).map { $0[0] } } ?? []
    }
}
