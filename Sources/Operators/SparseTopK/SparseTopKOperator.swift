/// One of mask, values and magnitude: they differ in what is read off a solved row.
protocol SparseTopKOperator: TangentOperator, Sampled {
    var kind: SparseTopKRows.Kind { get }
}

extension SparseTopKOperator {
    package func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError) {
        try SparseTopKParameters.check(parameters, x, inputs)
    }

    package func scope(_ parameters: ParameterValues) -> Scope { .row }

    package var traits: Traits { .exactFunction }

    /// dykstra may take seconds for a row.
    package func lane(
        _ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape
    ) -> Lane {
        guard SparseTopKSettings.of(parameters, isMagnitude: kind == .magnitude).choice == .dykstra
        else { return .quick }
        let iterations = parameters[SparseTopKParameters.iterationsMax].integer(row: 0)
        let (work, overflow) = (x.rowCount * x.rowLength).multipliedReportingOverflow(
            by: iterations)
        return overflow || work > SparseTopKParameters.dykstraSearchWorkMin ? .search : .pool
    }

    package func outputs(
        _ direction: Direction, _ parameters: ParameterValues
    ) -> [TensorSpec] {
        SparseTopKParameters.outputs(direction, parameters)
    }

    /// Checks the numbers of short rows where it computes them, see `SparseTopKRows.checksAlong`.
    package func run(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        if !SparseTopKRows.checksAlong(block, stack, isMagnitude: kind == .magnitude) {
            try Validation.check(descriptor, direction, block, stack, workspace)
        }
        try dispatch(direction, block, stack, into: output, workspace)
    }

    package func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.run(self, .forward, block, nil, into: output, workspace)
    }

    package func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.run(self, .vjp, block, cotangents, into: output, workspace)
    }

    package func jvp(
        _ block: borrowing RowBlock, _ tangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try SparseTopKRows.run(self, .jvp, block, tangents, into: output, workspace)
    }
}
