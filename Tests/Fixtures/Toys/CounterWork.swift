import Operators

/// Work without x and with state, which comes in and goes out in the request: a counter.
struct CounterWork: Invocable, DocumentWork {
    private static let step = ParameterSpec(
        name: "step", kind: .integer(minimum: 1, maximum: 1000, atMostRowLength: false),
        isPerRow: false, defaultValue: .integer(1), unit: "none", doc: "How far it goes on.")

    private static let state = TensorSpec(
        name: "state", shape: .document, isRequired: true, doc: "What the last answer brought.")

    var procedures: [Procedure] {
        [
            Procedure(
                operatorName: "counter", name: "next", route: "/counter/next",
                inputs: [Self.state], parameters: [Self.step], work: .document(self))
        ]
    }

    func run(
        _ parameters: ParameterValues, _ inputs: [InputTensor?], _ context: RunContext
    ) throws(OperatorError) -> Document {
        guard case .number(let count)? = inputs[0]?.document?["count"], count >= 0 else {
            throw .incompatible("state", "its count must be a number of at least 0")
        }
        let next = count + Double(parameters[Self.step].integer(row: 0))
        return .object([
            .init("state", .object([.init("count", .number(next))])),
            .init("steps", .numbers([count, next])),
            .init("isEven", .boolean(next.truncatingRemainder(dividingBy: 2) == 0)),
            .init("note", .text("a \"toy\"\n")),
        ])
    }
}
