import Operators

/// Runs operators as a worker does, for tests that need no service.
package enum Compute {
    /// Parameters for one of the paper's operators.
    package static func parameters(
        _ op: any Operator, k: [Int], lambda: [Double] = [0.1], p: Double = 4.0 / 3.0,
        shortRows: String = "error"
    ) -> ParameterValues {
        let values = op.descriptor.parameters.map { spec -> ParameterValue in
            switch spec.name {
            case "k": .integers(k)
            case "lambda": .numbers(lambda)
            case "p": .numbers([p])
            case "short_rows": .word(shortRows)
            default: fatalError("no value for parameter \(spec.name)")
            }
        }
        return ParameterValues(op.descriptor.parameters, values)
    }

    /// Dense [B][n] answer.
    package static func forward(
        _ op: any Operator, _ x: [[Double]], dtype: DType = .float64, _ parameters: ParameterValues
    ) throws(OperatorError) -> [[Double]] {
        let output = OperatorOutput(auxiliaryCount: op.descriptor.outputs.count)
        let n = x.first?.count ?? 0
        output.answer.reset(dtype: dtype, rowLength: n, rowCapacity: x.count)
        let block = RowBlock(
            x: DenseRows(x, dtype: dtype), rows: 0..<x.count, parameters: parameters)
        try op.run(.forward, block, nil, into: output, Workspace())
        return dense(output.answer)
    }

    /// Dense [B][G][n] gradients for cotangents [G][B][n].
    package static func vjp(
        _ op: any Operator, _ x: [[Double]], _ cotangents: [[[Double]]], dtype: DType = .float64,
        _ parameters: ParameterValues
    ) throws(OperatorError) -> [[[Double]]] {
        let output = OperatorOutput(auxiliaryCount: op.descriptor.outputs.count)
        let g = cotangents.count
        output.answer.reset(dtype: dtype, rowLength: x[0].count, rowCapacity: x.count * g)
        let block = RowBlock(
            x: DenseRows(x, dtype: dtype), rows: 0..<x.count, parameters: parameters)
        let stacked = StackedRows(
            DenseRows(cotangents.flatMap { $0 }, dtype: dtype), stackCount: g)
        try op.run(.vjp, block, stacked, into: output, Workspace())
        let rows = dense(output.answer)
        return (0..<x.count).map { row in Array(rows[row * g..<(row + 1) * g]) }
    }

    /// Scatters CSR into rows; checks the invariants that readers rely on.
    package static func dense(_ rows: SparseRows) -> [[Double]] {
        (0..<rows.rowCount).map { row in
            var dense = [Double](repeating: 0, count: rows.rowLength)
            var last: Int32 = -1
            for i in rows.indptr[row]..<rows.indptr[row + 1] {
                let column = rows.indices[i]
                precondition(column > last && Int(column) < rows.rowLength, "indices must ascend")
                last = column
                switch rows.dtype {
                case .float32:
                    dense[Int(column)] = Double(
                        rows.data.loadUnaligned(fromByteOffset: 4 * i, as: Float.self))
                case .float64:
                    dense[Int(column)] = rows.data.loadUnaligned(
                        fromByteOffset: 8 * i, as: Double.self)
                }
                precondition(dense[Int(column)] != 0, "zeros are not stored")
            }
            return dense
        }
    }
}
