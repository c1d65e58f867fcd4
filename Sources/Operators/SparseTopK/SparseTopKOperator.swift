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

    /// dykstra may take seconds for a row.
    package func isQuick(_ parameters: ParameterValues) -> Bool {
        parameters[SparseTopKParameters.solver].word != SolverChoice.dykstra.rawValue
    }

    package func selecting(_ parameters: ParameterValues) -> Selecting? {
        let isMagnitude = kind == .magnitude
        let settings = SparseTopKSettings.of(parameters, isMagnitude: isMagnitude)
        // Of all rows alike, of x and not of -x, by the solver that does not sort.
        guard let k = settings.k.shared, !settings.isSmallest,
            settings.choice == .auto || settings.choice == .threshold
        else { return nil }
        return Selecting(k: k, isAbsolute: isMagnitude)
    }

    package func checksAlong(_ block: borrowing RowBlock, _ stack: StackedRows?) -> Bool {
        SparseTopKRows.checksAlong(block, stack, isMagnitude: kind == .magnitude)
    }

    package func outputs(
        _ direction: Direction, _ parameters: ParameterValues
    ) -> [TensorSpec] {
        SparseTopKParameters.outputs(direction, parameters)
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
