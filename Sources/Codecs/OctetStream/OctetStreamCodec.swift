import Inference
import Operators

/// application/octet-stream: raw little-endian row-major numbers, parameters in the query. The body
/// is computed where it lies: nothing is copied on the way in.
package enum OctetStreamCodec: Codec {
    package static var name: String { "octet-stream" }
    package static var mediaType: String { "application/octet-stream" }
    package static var readsInPlace: Bool { true }
    package static var paddingBytes: Int { 0 }

    package static func workingBytes(bodyBytes: Int) -> Int { 0 }

    package static func arrivalCheck(_ message: Message, byteCount: Int, _ pool: BufferPool)
        -> ArrivalCheck?
    {
        // What is wrong with the query will be said when all is here. Beside x and cotangents a
        // body has columns, too: they are no numbers of this type.
        guard byteCount >= Limits.arrivalCheckBytesMin,
            let plan = try? Self.plan(message, bodyBytes: byteCount, isKept: false),
            plan.inputs.isEmpty
        else { return nil }
        return ArrivalCheck(message.body, byteCount: byteCount, plan, pool)
    }

    private static let elsewhere = [
        "x": "the body: raw numbers",
        "cotangent": "POST /topk/vjp",
        "cotangents": "POST /topk/vjp",
        "tangent": "POST /topk/jvp",
        "tangents": "POST /topk/jvp",
    ]

    private static let plans = PlanCache()

    package static func decode(
        _ message: Message, _ worker: Worker, _ pool: BufferPool
    ) throws(ServiceError) -> InferenceRequest {
        let arrival = message.arrival.flatMap { $0.isOf(message.body) ? $0 : nil }
        let plan: Plan
        if let arrival {
            plan = arrival.plan
            Self.plans.keep(plan, Self.key(message, bodyBytes: message.body.count))
        } else {
            plan = try Self.plan(message, bodyBytes: message.body.count)
        }
        let isFinite = arrival?.hasFoundFinite ?? false
        let x = plan.form.rows(message.body, isKnownFinite: isFinite, early: arrival?.early)
        var rest = OctetStreamInputs(plan)
        let inputs = try rest.read(message.body, plan)
        let stack = try rest.readStack(message.body, plan, isKnownFinite: isFinite)
        return InferenceRequest(plan.form, x: x, stack: stack, inputs: inputs)
    }

    private static func key(_ message: Message, bodyBytes: Int) -> PlanCache.Key {
        PlanCache.Key(
            query: message.query.text, direction: message.direction, bodyBytes: bodyBytes)
    }

    /// The same as for the last request that had the same query and length, or made anew.
    ///
    /// - Parameter isKept: not before the body is here: a header alone is cheap to send, and would
    ///   drive out others' plans.
    private static func plan(
        _ message: Message, bodyBytes: Int, isKept: Bool = true
    ) throws(ServiceError) -> Plan {
        let key = key(message, bodyBytes: bodyBytes)
        if let known = plans.plan(key) { return known }
        let plan = try makePlan(message, bodyBytes: bodyBytes)
        if isKept { plans.keep(plan, key) }
        return plan
    }

    /// Reads the query, and how many rows the body has.
    private static func makePlan(
        _ message: Message, bodyBytes: Int
    ) throws(ServiceError) -> Plan {
        func text(_ name: String) -> String? {
            message.query.items.first { $0.name == name }?.value
        }
        let common = try CommonFields(message.direction) { name in
            guard let text = text(name) else { return nil }
            let kind: ParameterSpec.Kind =
                name == "width"
                ? .integer(minimum: 1, maximum: nil, atMostRowLength: false) : .choice([])
            return RawValue(queryText: text, for: kind)
        }
        let stackName = message.direction.stackName.map { $0 + "s" }
        try common.refuseUnknown(
            message.query.items.map { $0.name },
            alsoKnown: ["n", "shape"] + (stackName.map { [$0] } ?? [])
                + (common.rawInputs.isEmpty ? [] : ["inputs"])
        ) { name in
            if name == message.direction.stackName { return "the body, behind x" }
            if common.rawInputs.contains(name) { return "the body, behind x: inputs=\(name)" }
            let isInput = common.op.descriptor.inputs.contains { $0.name == name }
            return isInput ? "an application/json request" : Self.elsewhere[name]
        }

        let asked = try stackName.flatMap { (name) throws(ServiceError) -> Int? in
            guard let text = text(name) else { return nil }
            return try Self.count(text, name, maximum: Limits.cotangentsMax)
        }
        let stackCount = stackName == nil ? 0 : asked ?? 1
        let inputs = try Self.inputs(text("inputs"), common)
        let shape = try Self.shape(text("n"), text("shape"))
        let isPlain = inputs.isEmpty && !(common.op.addsAxis && message.direction == .vjp)
        let rowCount =
            isPlain
            ? try Self.rowCount(
                bodyBytes: bodyBytes, common.dtype, shape, sharing: 1 + stackCount,
                stackName)
            : try Self.rowCount(bodyBytes: bodyBytes, common.dtype, shape)
        let decoder = ParameterDecoder(rowCount: rowCount, rowLength: shape.rowLength)
        let parameters = try decoder.decode(common, inputs: inputs) { spec in
            text(spec.name).map { RawValue(queryText: $0, for: spec.kind) }
        }
        try common.checkLayout(
            rowCount: rowCount * max(1, stackCount), rowLength: shape.rowLength, parameters)
        let form = RequestForm(
            op: common.op, direction: message.direction, dtype: common.dtype, rowCount: rowCount,
            rowLength: shape.rowLength, isSingleRow: shape.isSingleRow,
            stackCount: max(1, stackCount), hasStackAxis: asked != nil, parameters: parameters,
            hasInputs: !inputs.isEmpty, layout: common.layout,
            isShared: PlanCache.keeps(message.query))
        let stackRow = common.stackShape(rowLength: shape.rowLength, parameters)
        return Plan(
            form, stackRowLength: stackRow.rowsPerInputRow * stackRow.rowLength, inputs: inputs)
    }

    /// The further inputs that the query lists.
    private static func inputs(
        _ text: String?, _ common: CommonFields
    ) throws(ServiceError) -> [String] {
        guard let text else { return [] }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        for (index, name) in names.enumerated()
        where !common.rawInputs.contains(name) || names[..<index].contains(name) {
            throw .outOfRange(
                .init("inputs"),
                expected: "one or more of \(RawValue.spell(common.rawInputs)), each once",
                found: "\"\(text.prefix(40))\"")
        }
        return names
    }

    /// B where the body's length does not say it: other things than rows of n follow x.
    private static func rowCount(
        bodyBytes: Int, _ dtype: DType, _ shape: Shape
    ) throws(ServiceError) -> Int {
        guard let rowCount = shape.rowCount else {
            throw .missingParameter(
                name: "shape", expected: "B,n (or n, for one row), beside what follows x")
        }
        let (numbers, overflow) = shape.rowLength.multipliedReportingOverflow(by: rowCount)
        guard !overflow && numbers <= bodyBytes / dtype.byteCount else {
            throw .wrongBodyLength(
                expected: "\(rowCount) rows of \(shape.rowLength) \(dtype.rawValue) numbers first",
                found: bodyBytes)
        }
        return rowCount
    }

    /// What the query says about x's shape; the body's length says the rest.
    private struct Shape {
        let rowCount: Int?
        let rowLength: Int
        let isSingleRow: Bool
    }

    private static func shape(_ n: String?, _ shape: String?) throws(ServiceError) -> Shape {
        if let shape {
            if n != nil {
                throw .invalidQuery(reason: "n and shape say the same; give one of them")
            }
            let parts = shape.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 1 || parts.count == 2 else {
                throw .wrongShape(
                    field: "shape", expected: "n or B,n", found: "\"\(shape.prefix(40))\"")
            }
            let rowLength = try count(
                String(parts[parts.count - 1]), "shape", maximum: Limits.rowLengthMax)
            if parts.count == 1 {
                return Shape(rowCount: 1, rowLength: rowLength, isSingleRow: true)
            }
            let rowCount = try count(String(parts[0]), "shape", maximum: Limits.numbersBytesMax)
            return Shape(rowCount: rowCount, rowLength: rowLength, isSingleRow: false)
        }
        guard let n else {
            throw .missingParameter(name: "n", expected: "the length of a row (or shape=B,n)")
        }
        let rowLength = try count(n, "n", maximum: Limits.rowLengthMax)
        return Shape(rowCount: nil, rowLength: rowLength, isSingleRow: false)
    }

    private static func count(_ text: String, _ field: String, maximum: Int) throws(ServiceError)
        -> Int
    {
        let expected = "a whole number from 1 to \(maximum)"
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
        guard isNumber else {
            throw .wrongType(.init(field), expected: expected, found: "\"\(text.prefix(40))\"")
        }
        guard let value = Int(text), value >= 1, value <= maximum else {
            throw .outOfRange(.init(field), expected: expected, found: String(text.prefix(40)))
        }
        return value
    }

    /// B from the body's length; every product is checked.
    private static func rowCount(
        bodyBytes: Int, _ dtype: DType, _ shape: Shape, sharing: Int, _ stackName: String?
    ) throws(ServiceError) -> Int {
        let (numbers, overflow) = shape.rowLength.multipliedReportingOverflow(by: sharing)
        let (rowBytes, rowOverflow) = numbers.multipliedReportingOverflow(by: dtype.byteCount)
        if overflow || rowOverflow || rowBytes > Limits.numbersBytesMax {
            throw .tooManyElements(field: "n", limit: Limits.numbersBytesMax)
        }
        let what = "\(shape.rowLength) \(dtype.rawValue) numbers"
        let row = sharing == 1 ? what : "\(sharing) x \(what) (x and its \(stackName ?? "numbers"))"
        if let rowCount = shape.rowCount {
            let (total, overflow) = rowBytes.multipliedReportingOverflow(by: rowCount)
            if overflow || total > Limits.numbersBytesMax {
                throw .tooManyElements(field: "shape", limit: Limits.numbersBytesMax)
            }
            guard total == bodyBytes else {
                throw .wrongBodyLength(
                    expected: "\(total) bytes: \(rowCount) rows of \(row)", found: bodyBytes)
            }
            return rowCount
        }
        guard bodyBytes > 0, bodyBytes % rowBytes == 0 else {
            throw .wrongBodyLength(
                expected: "a multiple of \(rowBytes) bytes: a row is \(row)", found: bodyBytes)
        }
        return bodyBytes / rowBytes
    }

    package static func encode(_ result: borrowing InferenceResult, _ pool: BufferPool)
        throws(ServiceError)
        -> RawBuffer
    {
        try OctetStreamAnswer.encode(result, pool)
    }

    /// Of further outputs, the headers have the lengths.
    package static func byteCount(of result: borrowing InferenceResult) -> Int? {
        result.further.isEmpty ? OctetStreamAnswer.byteCount(of: result) : nil
    }

    package static func write(
        _ result: borrowing InferenceResult, to memory: UnsafeMutableRawPointer
    ) {
        OctetStreamAnswer.write(result, to: memory)
    }

    package static func headers(
        of result: borrowing InferenceResult, _ add: (StaticString, String) -> Void
    ) {
        OctetStreamAnswer.headers(of: result, add)
    }
}
