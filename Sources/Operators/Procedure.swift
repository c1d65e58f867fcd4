/// One thing that a request can ask for: forward, vjp or jvp of an operator, or a procedure of its
/// own (create, propose, observe of a bandit).
///
/// It says everything about itself that its callers need: what it takes, what it gives, where it
/// is reached, what may be assumed of it. Timing, counting, limits and errors are put around it.
package final class Procedure: Sendable {
    /// The operator's name in requests, logs and metric labels.
    package let operatorName: String
    /// "forward", "vjp", "jvp", or a name of the operator's own.
    package let name: String
    /// The path of its native route, such as "/topk/vjp".
    package let route: String
    /// Everything that comes in arrays or documents: x first where there is one.
    package let inputs: [TensorSpec]
    /// Parameters that its requests may have.
    package let parameters: [ParameterSpec]
    package let traits: Traits
    package let work: Work

    /// What it does.
    package enum Work: Sendable {
        /// Computes rows of x into sparse rows, block by block.
        case rows(any Operator, Direction)
        /// Answers a document, in one piece.
        case document(any DocumentWork)
    }

    package init(
        operatorName: String, name: String, route: String, inputs: [TensorSpec],
        parameters: [ParameterSpec], traits: Traits = Traits(), work: Work
    ) {
        self.operatorName = operatorName
        self.name = name
        self.route = route
        self.inputs = inputs
        self.parameters = parameters
        self.traits = traits
        self.work = work
    }

    /// All parameters for which values are made: those of other directions have their defaults.
    package var allParameters: [ParameterSpec] {
        if case .rows(let op, _) = work { return op.descriptor.parameters }
        return parameters
    }

    /// Where a parameter of the same operator belongs that this procedure does not take: the
    /// routes that take it; none if there is no such parameter.
    package func routesTaking(_ parameter: String) -> [String] {
        guard let spec = allParameters.first(where: { $0.name == parameter }) else { return [] }
        return spec.directions.map { $0.route }
    }
}

/// What may be assumed of a procedure. Each default is the safe one.
package struct Traits: Sendable {
    /// Whether the same request always has the same answer.
    package var isDeterministic = false
    /// Whether a client may send a request again by itself, when it does not know what became of
    /// it.
    package var isRepeatable = false
    /// Whether permuting the entries of a row permutes those of its answer.
    package var isEquivariant = false
    /// Whether each number of an answer is the nearest one of its type to that in float64.
    package var isRoundedOnce = false

    package init() {}

    /// Those of a function of its inputs that is computed exactly and rounded at the end.
    package static let exactFunction: Traits = {
        var traits = Traits()
        traits.isDeterministic = true
        traits.isRepeatable = true
        traits.isEquivariant = true
        traits.isRoundedOnce = true
        return traits
    }()
}

/// Where a request is computed, by how long it takes.
package enum Lane: Sendable {
    /// Microseconds for a few thousand numbers: small requests are computed on the thread that
    /// received them.
    case quick
    /// By a worker. Every block of rows is done within a few milliseconds.
    case pool
    /// Perhaps seconds: on a thread of lower priority, beside which quick requests go on. It ends
    /// when its client leaves, and so must ask `RunContext.check` every few milliseconds.
    case search
}

/// A line of the registry.
package protocol Invocable: Sendable {
    var procedures: [Procedure] { get }
}

/// Work whose answer is a document: state in, state out, chance, no rows.
package protocol DocumentWork: Sendable {
    /// Where it runs. The default is a worker.
    func lane(_ parameters: ParameterValues) -> Lane

    /// Computes the answer. Runs once per request, on one thread. Whatever it allocates beyond a
    /// few times its inputs, it reserves from `context` first.
    ///
    /// - Parameter inputs: in the order of the procedure's inputs; nil where one did not come.
    func run(
        _ parameters: ParameterValues, _ inputs: [InputTensor?], _ context: RunContext
    ) throws(OperatorError) -> Document
}

extension DocumentWork {
    package func lane(_ parameters: ParameterValues) -> Lane { .pool }
}
