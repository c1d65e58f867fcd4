import Execution
import MicroHTTPD
import Operators

/// What is wrong, before a protocol puts it into its own form.
package struct Problem: Sendable {
    package let code: ProblemCode
    /// One sentence for people; says what to change.
    package let detail: String
    package var field: String?
    package var cotangent: Int?
    package var tangent: Int?
    package var row: Int?
    package var column: Int?
    package var expected: String?
    package var found: String?
    /// For 405.
    package var allow: [String] = []

    package init(_ code: ProblemCode, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// Fields whose last axis is a row's; a list of anything else has an entry for each row.
    private static let arrays: Set<String> = Set(
        ["x", "cotangent", "tangent"]
            + Registry.all.flatMap { op in op.descriptor.inputs.map { $0.name } })

    package init(
        _ code: ProblemCode, _ place: ServiceError.Place, _ detail: String, expected: String? = nil,
        found: String? = nil
    ) {
        self.code = code
        self.detail = detail
        self.expected = expected
        self.found = found
        field = place.field
        guard !place.position.isEmpty else { return }
        if Self.arrays.contains(place.field) {
            // The last axis is the column; a shorter position names a whole row.
            let outermost: WritableKeyPath<Problem, Int?> =
                place.field == "tangent" ? \.tangent : \.cotangent
            let inner: [WritableKeyPath<Problem, Int?>] =
                place.form.hasRows ? [\.row, \.column] : [\.column]
            var names = [outermost] + inner
            let axes = place.axes - (place.form.isMatrix ? 1 : 0)
            names.removeFirst(max(0, names.count - axes))
            for (name, index) in zip(names, place.position) { self[keyPath: name] = index }
        } else {
            row = place.position[0]
        }
    }

    /// What HTTP says of some statuses, whatever the protocol.
    package func addHeaders(to reply: Reply) {
        if code.status == 503 { reply.add("Retry-After", "\(Limits.retryAfterSeconds)") }
        if code == .unauthorized { reply.add("WWW-Authenticate", "Bearer") }
        if !allow.isEmpty { reply.add("Allow", allow.joined(separator: ", ")) }
    }
}
