import Operators

/// The computed answer. Handed on, never copied: a copy would retain each of its parts.
package struct InvocationResult: ~Copyable, Sendable {
    package let invocation: Invocation
    package let answer: ResultRows
    /// Further outputs, in the order of `invocation.form.outputs`.
    package let further: [(spec: TensorSpec, rows: ResultRows)]
    package let nonconvergedRowCount: Int
    /// The whole answer of a procedure that answers a document.
    package let document: Document?

    package init(_ invocation: Invocation, _ blocks: borrowing BlockOutputs) {
        let stackCount = invocation.form.stackCount
        answer = ResultRows(blocks, stackCount: stackCount)
        var further: [(spec: TensorSpec, rows: ResultRows)] = []
        if invocation.form.hasOutputs {
            for (index, spec) in invocation.form.outputs.enumerated() {
                further.append((spec, ResultRows(blocks, index: index, stackCount: stackCount)))
            }
        }
        self.further = further
        var nonconvergedRowCount = 0
        blocks.forEach { nonconvergedRowCount += $0.nonconvergedRowCount }
        self.nonconvergedRowCount = nonconvergedRowCount
        document = blocks.first.document
        widthNeeded =
            invocation.form.layout.format == .padded
            ? Self.groups(further).reduce(answer.widest) { max($0, $1.members[0].rows.widest) } : 0
        self.invocation = invocation
    }

    package var form: InvocationForm { invocation.form }
    package var layout: AnswerLayout { invocation.form.layout }
    /// Of its request's numbers.
    package var heldBytes: Int { invocation.heldBytes }

    /// Stored numbers of the answer.
    package var nonzeroCount: Int { answer.storedCount }

    /// The outputs that share their columns, by group, in order of appearance.
    package var groups: [(name: String, members: [(name: String, rows: ResultRows)])] {
        Self.groups(further)
    }

    private static func groups(
        _ further: [(spec: TensorSpec, rows: ResultRows)]
    ) -> [(name: String, members: [(name: String, rows: ResultRows)])] {
        var groups: [(name: String, members: [(name: String, rows: ResultRows)])] = []
        for (spec, rows) in further {
            switch spec.shape {
            case .shared(let group) where groups.last?.name == group:
                groups[groups.count - 1].members.append((spec.name, rows))
            case .shared(let group):
                groups.append((group, [(spec.name, rows)]))
            case .sparse:
                groups.append((spec.name, [("data", rows)]))
            default: break
            }
        }
        return groups
    }

    /// Outputs that have no format: of one number a row, shaped like x, and lists of indices.
    package var plainOutputs: [(spec: TensorSpec, rows: ResultRows)] {
        further.filter { [.perRow, .likeX, .indices].contains($0.spec.shape) }
    }

    /// Entries a row that a padded answer needs; 0 for others. Looked for once: it takes all rows.
    package let widthNeeded: Int

    /// Only the answer knows how wide it is.
    var widthError: ServiceError? {
        guard let width = form.layout.width, form.layout.format == .padded,
            widthNeeded > width
        else { return nil }
        return .widthTooSmall(needed: widthNeeded, width: width)
    }

    /// Entries a row of a padded answer.
    package var width: Int { form.layout.width ?? widthNeeded }
}
