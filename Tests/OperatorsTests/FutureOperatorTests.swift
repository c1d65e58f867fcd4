import Operators
import Testing

/// Type-checks that the Operator protocol carries what OPERATORS.md will bring; catches a change of
/// the protocol that would shut one of them out. The stubs compute something simple, through the
/// real entry, so that the shapes are exercised and not only named.
@Suite struct FutureOperatorTests {
    private static let k = ParameterSpec(
        name: "k", kind: .integer(minimum: 1, maximum: nil, atMostRowLength: true), isPerRow: false,
        defaultValue: .required, unit: "entries", doc: "")

    private static func descriptor(
        _ name: String, inputs: [TensorSpec] = [], outputs: [TensorSpec] = []
    ) -> OperatorDescriptor {
        OperatorDescriptor(
            name: name, summary: "", formula: "", source: "", parameters: [k],
            acceptsNegativeInfinity: false, inputs: inputs, outputs: outputs)
    }

    /// gaussian_k: a second input and a second output, both shaped like x.
    private struct Residual: DifferentiableOperator {
        let descriptor = FutureOperatorTests.descriptor(
            "residual",
            inputs: [TensorSpec(name: "residual", shape: .likeX, isRequired: false, doc: "")],
            outputs: [TensorSpec(name: "residual", shape: .likeX, isRequired: true, doc: "")])

        func forward(
            _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
        ) throws(OperatorError) {
            precondition(block.inputs.count == 1 && output["residual"] != nil)
        }

        func vjp(
            _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
            _ workspace: Workspace
        ) throws(OperatorError) {}
    }

    /// soft_topk_sorted: [B, n] -> [B, n, k].
    private struct Sorted: Operator {
        let descriptor = FutureOperatorTests.descriptor("sorted")

        func answerShape(rowLength n: Int, _ parameters: ParameterValues) -> AnswerShape {
            AnswerShape(
                rowsPerInputRow: n, rowLength: parameters.value(named: "k")?.integer(row: 0) ?? 0,
                addsAxis: true)
        }

        func forward(
            _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
        ) throws(OperatorError) {}
    }

    /// diversified_topk: edges, a search that can be given up, and no VJP.
    private struct Graph: Operator {
        let descriptor = FutureOperatorTests.descriptor(
            "graph",
            inputs: [
                TensorSpec(name: "edges", shape: .list(columns: 2), isRequired: true, doc: "")
            ],
            outputs: [TensorSpec(name: "total", shape: .perRow, isRequired: true, doc: "")])

        func forward(
            _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
        ) throws(OperatorError) {
            while true { try block.context.check() }
        }
    }

    /// top_kast: one selection over all rows of the batch.
    private struct Global: Operator {
        let descriptor = FutureOperatorTests.descriptor("global")

        func scope(_ parameters: ParameterValues) -> Scope { .batch }

        func forward(
            _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
        ) throws(OperatorError) {
            precondition(block.rows == 0..<block.x.rowCount)
        }
    }

    private func block(_ op: any Operator, _ context: RunContext = RunContext()) -> RowBlock {
        let x = DenseRows([[1.0, 2, 3]], dtype: .float32)
        return RowBlock(
            x: x, rows: 0..<1,
            parameters: ParameterValues(op.descriptor.parameters, [.integers([2])]),
            inputs: op.descriptor.inputs.map { _ in .rows(x) }, context: context)
    }

    @Test("a residual goes in and comes out beside the answer, with a vjp")
    func residual() throws {
        let op = Residual()
        #expect(op.directions == [.forward, .vjp])
        let output = OperatorOutput()
        let outputs = op.outputs(.forward, block(op).parameters)
        output.reset(dtype: .float32, rowLength: 3, rowCapacity: 1, outputs)
        try op.run(.forward, block(op), nil, into: output, Workspace())
    }

    @Test("an answer can have the shape [B, n, k]")
    func sorted() {
        let shape = Sorted().answerShape(rowLength: 3, block(Sorted()).parameters)
        #expect(shape == AnswerShape(rowsPerInputRow: 3, rowLength: 2, addsAxis: true))
    }

    @Test("a long search ends when it is cancelled, and has no vjp")
    func cancellation() {
        let op = Graph()
        #expect(op.directions == [.forward])
        do {
            try op.run(
                .forward, block(op, RunContext(deadlineNanoseconds: 0)), nil,
                into: OperatorOutput(), Workspace())
            Issue.record("the search ended by itself")
        } catch {
            #expect(error == .cancelled)
        }
    }

    @Test("an operator can ask for all rows at once")
    func global() throws {
        let op = Global()
        guard case .batch = op.scope(block(op).parameters) else {
            Issue.record("scope is not batch")
            return
        }
        try op.run(.forward, block(op), nil, into: OperatorOutput(), Workspace())
    }
}
