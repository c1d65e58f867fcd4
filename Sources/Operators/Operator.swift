/// A top-k operator: a descriptor and a forward pass over a block of rows. Pure numerics: it knows
/// nothing of HTTP, JSON, threads or clocks; timing, counting, limits and errors are put around it.
///
/// To add one: a file in Catalog, a line in `Registry`, a schema in openapi.yaml.
package protocol Operator: Sendable {
    var descriptor: OperatorDescriptor { get }

    /// Whether the rows of a batch are independent (and may be split over workers) under these
    /// parameters, or have to be seen together.
    func scope(_ parameters: ParameterValues) -> Scope

    /// Whether an answer's row is a matrix, [n, columns]: the shape then depends on parameters.
    var addsAxis: Bool { get }

    /// The shape of one row's answer, and of one of its cotangents: rows of how many numbers, and
    /// how many of them for a row of x.
    func answerShape(rowLength n: Int, _ parameters: ParameterValues) -> AnswerShape

    /// Refuses what no single parameter can know is wrong. Without inputs it depends on nothing but
    /// these parameters and x's shape: requests that have both in common are checked once.
    func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError)

    /// The further outputs of a request, of those that the descriptor lists.
    func outputs(_ direction: Direction, _ parameters: ParameterValues) -> [TensorSpec]

    /// Whether a few thousand numbers take microseconds: such a request is computed where it
    /// arrived, on a thread that serves other connections, too.
    func isQuick(_ parameters: ParameterValues) -> Bool

    /// What the first pass over x looks for, the same in all rows: it may be looked for while x
    /// arrives. nil where there is no such pass. Of requests without further inputs.
    func selecting(_ parameters: ParameterValues) -> Selecting?

    /// Whether the operator checks the numbers of such a block itself, each few rows where it comes
    /// to them: they need not be brought into the cache twice.
    func checksAlong(_ block: borrowing RowBlock, _ stack: StackedRows?) -> Bool

    /// What it has, and its vjp or jvp: those that have them conform to the protocols below. Asked
    /// for here instead of cast to: that took longer than a row of a hundred numbers does.
    var directions: [Direction] { get }
    func multiply(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError)

    /// Appends the answer of each row of the block, in order, to `output`.
    ///
    /// The numbers of x are finite, or -inf where the descriptor accepts it: checked before, unless
    /// the operator checks along.
    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError)
}

extension Operator {
    package func scope(_ parameters: ParameterValues) -> Scope { .row }

    package func answerShape(rowLength n: Int, _ parameters: ParameterValues) -> AnswerShape {
        AnswerShape(rowsPerInputRow: 1, rowLength: n, addsAxis: false)
    }

    package var addsAxis: Bool { false }

    package func isQuick(_ parameters: ParameterValues) -> Bool { true }

    package func selecting(_ parameters: ParameterValues) -> Selecting? { nil }

    package func checksAlong(_ block: borrowing RowBlock, _ stack: StackedRows?) -> Bool { false }

    package func check(
        _ parameters: ParameterValues, _ x: BatchShape, _ inputs: [InputTensor?]
    ) throws(OperatorError) {}

    package func outputs(
        _ direction: Direction, _ parameters: ParameterValues
    ) -> [TensorSpec] {
        direction == .forward ? descriptor.outputs : []
    }

    package var directions: [Direction] { [.forward] }

    package func multiply(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        preconditionFailure("\(descriptor.name) has no \(direction)")
    }
}

extension DifferentiableOperator {
    package var directions: [Direction] { [.forward, .vjp] }

    package func multiply(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        precondition(direction == .vjp)
        try vjp(block, stack, into: output, workspace)
    }
}

extension TangentOperator {
    package var directions: [Direction] { [.forward, .vjp, .jvp] }

    package func multiply(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        if direction == .vjp {
            try vjp(block, stack, into: output, workspace)
        } else {
            try jvp(block, stack, into: output, workspace)
        }
    }
}

/// An operator with a vector-Jacobian product.
package protocol DifferentiableOperator: Operator {
    /// Appends J(x)^T c for each row of the block and, within it, each of the G cotangents, to
    /// `output`: a row is solved once. Cotangents are finite, checked as x is; results are finite
    /// always, and exact where the Jacobian exists.
    func vjp(
        _ block: borrowing RowBlock, _ cotangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError)
}

/// One with a Jacobian-vector product, too.
package protocol TangentOperator: DifferentiableOperator {
    /// Appends J(x) t for each row of the block and, within it, each of the G tangents, to
    /// `output`, as `vjp` does.
    func jvp(
        _ block: borrowing RowBlock, _ tangents: StackedRows, into output: OperatorOutput,
        _ workspace: Workspace
    ) throws(OperatorError)
}

package enum Direction: String, CaseIterable, Sendable {
    case forward
    case vjp
    case jvp

    /// Its place in `allCases`. Compared by it: the default for names would compare and hash the
    /// words, at each look-up.
    package var ordinal: Int {
        switch self {
        case .forward: 0
        case .vjp: 1
        case .jvp: 2
        }
    }

    package static func == (a: Direction, b: Direction) -> Bool { a.ordinal == b.ordinal }
    package func hash(into hasher: inout Hasher) { hasher.combine(ordinal) }

    /// What a request brings beside x.
    package var stackName: String? {
        switch self {
        case .forward: nil
        case .vjp: "cotangent"
        case .jvp: "tangent"
        }
    }
}

package enum Scope: Sendable {
    case row
    case batch
}

/// [B, n].
package struct BatchShape: Sendable, Equatable {
    package let rowCount: Int
    package let rowLength: Int

    package init(rowCount: Int, rowLength: Int) {
        self.rowCount = rowCount
        self.rowLength = rowLength
    }
}

/// The last axes of an answer. Most operators answer a row of n by a row of n.
package struct AnswerShape: Sendable, Equatable {
    /// 1, or n for an answer of shape [B, n, k].
    package let rowsPerInputRow: Int
    package let rowLength: Int
    /// Whether `rowsPerInputRow` is an axis of the answer's shape.
    package let addsAxis: Bool

    package init(rowsPerInputRow: Int, rowLength: Int, addsAxis: Bool) {
        self.rowsPerInputRow = rowsPerInputRow
        self.rowLength = rowLength
        self.addsAxis = addsAxis
    }
}

/// Some consecutive rows of a batch with everything that an operator may read.
package struct RowBlock: Sendable {
    /// The whole batch, [B, n].
    package let x: DenseRows
    /// The rows to compute.
    package let rows: Range<Int>
    package let parameters: ParameterValues
    /// Further inputs in the descriptor's order; nil where an optional one is absent.
    package let inputs: [InputTensor?]
    package let cancellation: Cancellation

    package init(
        x: DenseRows, rows: Range<Int>, parameters: ParameterValues, inputs: [InputTensor?] = [],
        cancellation: Cancellation = .never
    ) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= x.rowCount)
        self.x = x
        self.rows = rows
        self.parameters = parameters
        self.inputs = inputs
        self.cancellation = cancellation
    }
}

/// Lets a long search ask whether anyone still wants its answer.
package struct Cancellation: Sendable {
    package let isCancelled: @Sendable () -> Bool

    package init(_ isCancelled: @escaping @Sendable () -> Bool) { self.isCancelled = isCancelled }

    package static let never = Cancellation { false }

    package func check() throws(OperatorError) {
        if isCancelled() { throw .cancelled }
    }
}

extension Operator {
    /// Checks the numbers of a block, unless the operator does so along, and computes it; the one
    /// way into an operator. Where it throws, `output` may have some rows already.
    ///
    /// - Parameter stack: cotangents for vjp, tangents for jvp, [G, B, n]; nil for forward.
    package func run(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        if !checksAlong(block, stack) {
            try Validation.check(descriptor, direction, block, stack, workspace)
        }
        if direction == .forward {
            try forward(block, into: output, workspace)
        } else {
            guard let stack else { preconditionFailure("no cotangents or tangents came") }
            try multiply(direction, block, stack, into: output, workspace)
        }
        if output.hasNonFinite { throw .notFiniteAnswer }
    }
}
