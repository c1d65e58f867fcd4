import Inference
import Operators

/// Further inputs in a raw body: the query lists them (`inputs=residual`), and they lie behind x,
/// before cotangents, in that order. As in answers, what lies before something else is zero-padded
/// to a multiple of 8 bytes, and a list of columns is two sections, indptr and indices: what an
/// answer brought can go back as it is.
///
/// Body and plan are handed to each function: kept here, they would be retained for it.
struct OctetStreamInputs {
    /// The first byte that has not been read.
    private(set) var offset: Int

    /// Behind x.
    init(_ plan: Plan) {
        offset = plan.inputs.isEmpty ? plan.xBytes : Self.padded(plan.xBytes)
    }

    /// The inputs in the descriptor's order; nil where one did not come.
    mutating func read(
        _ body: RawBuffer, _ plan: Plan
    ) throws(ServiceError) -> [InputTensor?] {
        if plan.inputs.isEmpty { return plan.noInputs }
        let specs = plan.inputSpecs
        var inputs = plan.noInputs
        for name in plan.inputs {
            guard let index = specs.firstIndex(where: { $0.name == name }) else { continue }
            inputs[index] =
                specs[index].shape == .indices
                ? .lists(try lists(name, body, plan.form)) : .rows(try rows(name, body, plan))
        }
        return inputs
    }

    /// The cotangents or tangents, to which the rest of the body must amount.
    ///
    /// - Parameter isKnownFinite: whether all numbers of the body are.
    mutating func readStack(
        _ body: RawBuffer, _ plan: Plan, isKnownFinite: Bool
    ) throws(ServiceError) -> StackedRows? {
        guard plan.form.direction != .forward else {
            try checkEnd(body)
            return nil
        }
        let form = plan.form
        let dtype = form.dtype
        let rowLength = plan.stackRowLength
        let (count, overflow) = (form.stackCount * form.rowCount).multipliedReportingOverflow(
            by: rowLength)
        if overflow || count > Limits.numbersBytesMax / dtype.byteCount {
            throw .tooManyElements(field: "n", limit: Limits.numbersBytesMax)
        }
        let start = try take(
            "the cotangents or tangents", count * dtype.byteCount, body, isLast: true)
        try checkEnd(body)
        return StackedRows(
            DenseRows(
                body, byteOffset: start, dtype: dtype, rowCount: form.stackCount * form.rowCount,
                rowLength: rowLength, isKnownFinite: isKnownFinite),
            stackCount: form.stackCount)
    }

    private mutating func rows(
        _ name: String, _ body: RawBuffer, _ plan: Plan
    ) throws(ServiceError) -> DenseRows {
        let start = try take(name, plan.xBytes, body)
        let form = plan.form
        return DenseRows(
            body, byteOffset: start, dtype: form.dtype, rowCount: form.rowCount,
            rowLength: form.rowLength)
    }

    private mutating func lists(
        _ name: String, _ body: RawBuffer, _ form: RequestForm
    ) throws(ServiceError) -> IndexLists {
        let type = form.layout.indexDType
        let indptrStart = try take("\(name).indptr", (form.rowCount + 1) * type.byteCount, body)
        var indptr: [Int] = []
        indptr.reserveCapacity(form.rowCount + 1)
        for row in 0...form.rowCount {
            let end = type.load(body.memory, byteOffset: indptrStart + row * type.byteCount)
            let last = indptr.last ?? 0
            let limit = row == 0 ? 0 : last + form.rowLength
            guard end >= last && end <= limit else {
                throw .outOfRange(
                    .init("\(name).indptr", [row]),
                    expected: row == 0 ? "0" : "from \(last) to \(limit)", found: "\(end)")
            }
            indptr.append(end)
        }
        let start = try take("\(name).indices", (indptr.last ?? 0) * type.byteCount, body)
        let isSingleRow = form.isSingleRow
        return try IndexLists(indptr: indptr) { (row, i, entry) throws(ServiceError) in
            let column = type.load(body.memory, byteOffset: start + entry * type.byteCount)
            return try RawValue.column(
                Double(column), .init(name, isSingleRow ? [i] : [row, i]),
                rowLength: form.rowLength)
        }
    }

    /// Where the next section of so many bytes starts; it ends within the body.
    private mutating func take(
        _ what: String, _ byteCount: Int, _ body: RawBuffer, isLast: Bool = false
    ) throws(ServiceError) -> Int {
        let start = offset
        let end = start + (isLast ? byteCount : Self.padded(byteCount))
        guard end <= body.count else {
            throw .wrongBodyLength(
                expected: "at least \(end) bytes, the last of them for \(what)",
                found: body.count)
        }
        offset = end
        return start
    }

    private func checkEnd(_ body: RawBuffer) throws(ServiceError) {
        guard offset == body.count else {
            throw .wrongBodyLength(expected: "\(offset) bytes", found: body.count)
        }
    }

    private static func padded(_ byteCount: Int) -> Int { (byteCount + 7) & ~7 }
}

extension IndexDType {
    fileprivate func load(_ memory: UnsafeRawPointer, byteOffset: Int) -> Int {
        switch self {
        case .int32: Int(memory.loadUnaligned(fromByteOffset: byteOffset, as: Int32.self))
        case .int64: Int(memory.loadUnaligned(fromByteOffset: byteOffset, as: Int64.self))
        }
    }
}
