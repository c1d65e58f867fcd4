/// One of the paper's operators: they differ in what is read off a solved row.
protocol PaperOperator: TangentOperator {
    var kind: PaperRows.Kind { get }
}

extension PaperOperator {
    package func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError) {
        try PaperParameters.check(parameters, x, inputs)
    }

    package func scope(_ parameters: ParameterValues) -> Scope { .row }

    package var traits: Traits { .exactFunction }

    /// dykstra may take seconds for a row.
    package func lane(
        _ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape
    ) -> Lane {
        guard PaperSettings.of(parameters, isMagnitude: kind == .magnitude).choice == .dykstra
        else { return .quick }
        let iterations = parameters[PaperParameters.iterationsMax].integer(row: 0)
        let (work, overflow) = (x.rowCount * x.rowLength).multipliedReportingOverflow(
            by: iterations)
        return overflow || work > PaperParameters.dykstraSearchWorkMin ? .search : .pool
    }

    package func outputs(
        _ direction: Direction, _ parameters: ParameterValues
    ) -> [TensorSpec] {
        PaperParameters.outputs(direction, parameters)
    }

    /// Checks the numbers of short rows where it computes them, see `PaperRows.checksAlong`.
    package func run(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        if !PaperRows.checksAlong(block, stack, isMagnitude: kind == .magnitude) {
            try Validation.check(descriptor, direction, block, stack, workspace)
        }
        try dispatch(direction, block, stack, into: output, workspace)
    }

    package func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        try PaperRows.run(self, .forward, block, nil, into: output, workspace)
    }

    package func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try PaperRows.run(self, .vjp, block, cotangents, into: output, workspace)
    }

    package func jvp(
        _ block: borrowing RowBlock, _ tangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError) {
        try PaperRows.run(self, .jvp, block, tangents, into: output, workspace)
    }
}
