import Inference
import Operators

/// How to read the raw bodies of one length behind one query. A trainer sends the same query each
/// step; reading it anew took a sixth of the time of a small request.
final class Plan: Sendable {
    let form: RequestForm
    /// Numbers of a cotangent or tangent that belong to a row of x.
    let stackRowLength: Int
    /// Names of the further inputs that the body has, in its order.
    let inputs: [String]
    /// The operator's inputs, in its order.
    let inputSpecs: [TensorSpec]
    /// As many nil.
    let noInputs: [InputTensor?]

    /// Where in a body what follows x begins, but for zeros that fill up.
    let xBytes: Int

    init(_ form: RequestForm, stackRowLength: Int, inputs: [String]) {
        self.form = form
        self.stackRowLength = stackRowLength
        self.inputs = inputs
        xBytes = form.rowCount * form.rowLength * form.dtype.byteCount
        inputSpecs = form.op.descriptor.inputs
        noInputs = inputSpecs.map { _ in nil }
    }
}

/// The last plans that were made. Thread-safe.
final class PlanCache: @unchecked Sendable {
    struct Key: Hashable {
        let query: String
        let direction: Direction
        let bodyBytes: Int

        /// Not the whole query, which took longer than all the rest: plans are few, and those of
        /// one length are told apart by comparing.
        func hash(into hasher: inout Hasher) {
            hasher.combine(query.utf8.count)
            hasher.combine(bodyBytes)
        }
    }

    private let monitor = Monitor()
    private var plans: [Key: Plan] = [:]
    /// The one that was kept last.
    private var last: (key: Key, plan: Plan)?
    /// Enough for the shapes of a few trainers; then all are forgotten.
    private static let plansMax = 64
    /// Longer queries (k for each row, say) are read each time.
    private static let queryBytesMax = 512

    func plan(_ key: Key) -> Plan? {
        monitor.withLock {
            // Hashing took longer than all the rest of a look-up.
            if let last, last.key == key { return last.plan }
            return plans[key]
        }
    }

    static func keeps(_ query: Query) -> Bool { query.text.utf8.count <= queryBytesMax }

    func keep(_ plan: Plan, _ key: Key) {
        guard plan.form.isShared else { return }
        monitor.withLock {
            if plans[key] === plan { return }
            if plans.count >= Self.plansMax { plans.removeAll(keepingCapacity: true) }
            plans[key] = plan
            last = (key, plan)
        }
    }
}
