/// A top-k operator: a descriptor and a forward pass over a block of rows. Pure numerics: it knows
/// nothing of HTTP, JSON, threads or clocks; timing, counting, limits and errors are put around it.
///
/// To add one: a folder here, a line in `Registry`, a schema in openapi.yaml.
package protocol Operator: Invocable {
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

    /// Where such a request runs. The default is a worker: whoever says nothing never runs on a
    /// thread that serves connections, nor on one of low priority.
    func lane(_ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape) -> Lane

    /// Bytes that computing takes beside x, stacks and inputs, and beside sparse answers: counted
    /// against the service's byte budget before it begins.
    func workingBytes(
        _ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape,
        _ dtype: DType
    ) -> Int

    /// What may be assumed of all its procedures.
    var traits: Traits { get }

    /// Computes a block in one direction: checks its numbers, then calls `forward`, `vjp` or `jvp`.
    /// The one way into an operator. Where it throws, `output` may have some rows already.
    ///
    /// - Parameter stack: cotangents for vjp, tangents for jvp, [G, B, n]; nil for forward.
    func run(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError)

    /// What it has, and its vjp or jvp: those that have them conform to the protocols below. Asked
    /// for here instead of cast to: that took longer than a row of a hundred numbers does.
    var directions: [Direction] { get }
    func multiply(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError)

    /// Appends the answer of each row of the block, in order, to `output`.
    ///
    /// The numbers of x are finite, or -inf where the descriptor accepts it: `run` has checked.
    func forward(
        _ block: borrowing RowBlock, into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError)
}

extension Operator {
    package func scope(_ parameters: ParameterValues) -> Scope { .batch }

    package func answerShape(rowLength n: Int, _ parameters: ParameterValues) -> AnswerShape {
        .likeX(rowLength: n)
    }

    package var addsAxis: Bool { false }

    package func lane(
        _ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape
    ) -> Lane { .pool }

    package func workingBytes(
        _ direction: Direction, _ parameters: ParameterValues, _ x: BatchShape, _ dtype: DType
    ) -> Int { 0 }

    package var traits: Traits { Traits() }

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

    /// The path of its native route.
    package var route: String { self == .forward ? "/topk" : "/topk/\(rawValue)" }

    /// What a request brings beside x and the operator's own inputs.
    var stackSpecs: [TensorSpec] {
        switch self {
        case .forward: []
        case .vjp:
            [
                TensorSpec(
                    name: "cotangent", shape: .stackLikeAnswer, isRequired: true,
                    doc: "Shaped like the answer, or with one more leading axis.")
            ]
        case .jvp:
            [
                TensorSpec(
                    name: "tangent", shape: .stackLikeX, isRequired: true,
                    doc: "Shaped like x, or with one more leading axis.")
            ]
        }
    }

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

    /// A row of n for a row of n.
    package static func likeX(rowLength n: Int) -> AnswerShape {
        AnswerShape(rowsPerInputRow: 1, rowLength: n, addsAxis: false)
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
    package let context: RunContext

    package init(
        x: DenseRows, rows: Range<Int>, parameters: ParameterValues, inputs: [InputTensor?] = [],
        context: RunContext = .unlimited
    ) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= x.rowCount)
        self.x = x
        self.rows = rows
        self.parameters = parameters
        self.inputs = inputs
        self.context = context
    }
}

extension Operator {
    package func run(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        try Validation.check(descriptor, direction, block, stack, workspace)
        try dispatch(direction, block, stack, into: output, workspace)
    }

    /// What `run` does when the numbers have been checked.
    func dispatch(
        _ direction: Direction, _ block: borrowing RowBlock, _ stack: StackedRows?,
        into output: OperatorOutput, _ workspace: Workspace
    ) throws(OperatorError) {
        if direction == .forward {
            try forward(block, into: output, workspace)
        } else {
            guard let stack else { preconditionFailure("no cotangents or tangents came") }
            try multiply(direction, block, stack, into: output, workspace)
        }
        if output.hasNonFinite { throw .notFiniteAnswer }
    }
}

extension Operator {
    /// One procedure a direction, reached by the member `operator` of requests.
    package var procedures: [Procedure] {
        directions.map { direction in
            Procedure(
                operatorName: descriptor.name, name: direction.rawValue, route: direction.route,
                inputs: [.x] + descriptor.inputs + direction.stackSpecs,
                parameters: descriptor.parameters.filter { $0.directions.contains(direction) },
                traits: traits, work: .rows(self, direction))
        }
    }
}
