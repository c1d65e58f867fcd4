import Operators
import Service

/// Work that keeps a worker until nobody wants its answer any more.
package struct SlowWork: Invocable {
    package init() {}

    package var procedures: [Procedure] {
        [
            Procedure(
                operatorName: "slow", name: "run", route: "/slow", inputs: [], parameters: [],
                work: .document(Loop()))
        ]
    }

    private struct Loop: DocumentWork {
        func run(
            _ parameters: ParameterValues, _ inputs: [InputTensor?], _ context: RunContext
        ) throws(OperatorError) -> Document {
            while true { try context.check() }
        }
    }
}

extension Doors {
    /// The standard service, and work that takes as long as it may.
    package static let withSlowWork = Doors(adding: [SlowWork()])
}
