import Operators

/// Makes an `Invocation` of what an encoding reads. Checks names, ranges, shapes, alignment, sizes
/// and limits, for every protocol and encoding. It names the place
/// of a mistake by field and position; protocols put it into their own words.
package struct InvocationBuilder {
    let procedure: Procedure
    var draft: InvocationForm.Draft
    /// Names of the protocol's own fields.
    let protocolNames: [String]
    let pool: BufferPool

    package init(
        _ procedure: Procedure, dtype: DType, _ layout: AnswerLayout, protocolNames: [String],
        _ pool: BufferPool
    ) {
        self.procedure = procedure
        draft = InvocationForm.Draft(dtype: dtype, layout: layout)
        self.protocolNames = protocolNames
        self.pool = pool
    }

    /// Reads and checks everything. O(body).
    package mutating func build(_ source: any TensorSource) throws(ServiceError) -> Invocation {
        try refuseUnknown(source)
        try source.begin(procedure, draft.dtype, draft.layout)
        let invocation: Invocation
        switch procedure.work {
        case .rows(let op, let direction): invocation = try buildRows(op, direction, source)
        case .document: invocation = try buildDocument(source)
        }
        try source.finish()
        return invocation
    }

    private mutating func buildRows(
        _ op: any Operator, _ direction: Direction, _ source: any TensorSource
    ) throws(ServiceError) -> Invocation {
        let tensors = TensorBuilder(source: source, pool: pool)
        let x = try tensors.x(
            draft.dtype, takesNegativeInfinity: op.descriptor.acceptsNegativeInfinity)
        draft.dtype = x.rows.dtype
        draft.rowCount = x.rows.rowCount
        draft.rowLength = x.rows.rowLength
        draft.isSingleRow = x.isSingleRow
        let specs = op.descriptor.inputs
        var inputs: [InputTensor?] = []
        for spec in specs { inputs.append(try tensors.input(spec, x)) }
        draft.hasInputs = inputs.contains { $0 != nil }
        let parameters = try decodeParameters(
            source, inputs: specs.map { $0.name }.filter { source.hasInput($0) })
        var stack: StackedRows?
        if let spec = procedure.inputs.last, direction != .forward {
            let answer =
                direction == .vjp
                ? op.answerShape(rowLength: x.rows.rowLength, parameters)
                : .likeX(rowLength: x.rows.rowLength)
            let found = try tensors.stack(spec, x, row: answer)
            (stack, draft.stackCount, draft.hasStackAxis) = (
                found.rows, found.rows.stackCount, found.hasAxis
            )
        }
        try checkLayout(op, direction, parameters)
        do throws(OperatorError) {
            try op.check(parameters, x.rows.shape, inputs)
        } catch {
            throw ServiceError(error, in: procedure, x.rows, isSingleRow: x.isSingleRow, inputs)
        }
        return Invocation(
            InvocationForm(procedure, parameters, draft), x: x.rows, stack: stack, inputs: inputs)
    }

    private mutating func buildDocument(
        _ source: any TensorSource
    ) throws(ServiceError) -> Invocation {
        let tensors = TensorBuilder(source: source, pool: pool)
        var inputs: [InputTensor?] = []
        for spec in procedure.inputs { inputs.append(try tensors.free(spec, draft.dtype)) }
        draft.hasInputs = inputs.contains { $0 != nil }
        let names = procedure.inputs.map { $0.name }.filter { source.hasInput($0) }
        let parameters = try decodeParameters(source, inputs: names)
        return Invocation(
            InvocationForm(procedure, parameters, draft), x: .none, stack: nil, inputs: inputs)
    }

    /// - Parameter inputs: names of the further inputs that came.
    private func decodeParameters(
        _ source: any TensorSource, inputs: [String]
    ) throws(ServiceError) -> ParameterValues {
        // Read before they are decoded: typed throws do not pass through the look-up closure.
        var values: [String: RawValue] = [:]
        for spec in procedure.parameters {
            values[spec.name] = try source.parameter(spec, rowCount: draft.rowCount)
        }
        return try ParameterDecoder(rowCount: draft.rowCount, rowLength: draft.rowLength)
            .decode(procedure, inputs: inputs) { values[$0.name] }
    }

    /// Refuses names that neither the protocol nor the encoding nor the procedure knows.
    private func refuseUnknown(_ source: any TensorSource) throws(ServiceError) {
        let own = source.ownNames(procedure)
        for name in source.names where !own.contains(name) && !protocolNames.contains(name) {
            if procedure.parameters.contains(where: { $0.name == name }) { continue }
            if let place = source.place(of: name, procedure) {
                throw .misplacedParameter(name: name, belongs: place)
            }
            let routes = procedure.routesTaking(name)
            if !routes.isEmpty {
                throw .misplacedParameter(
                    name: name, belongs: "POST " + routes.joined(separator: ", "))
            }
            throw .unknownParameter(
                name: name, known: own + protocolNames + procedure.parameters.map { $0.name })
        }
    }

    /// What does not fit together in the answer's layout.
    private func checkLayout(
        _ op: any Operator, _ direction: Direction, _ parameters: ParameterValues
    ) throws(ServiceError) {
        let layout = draft.layout
        let answer =
            direction == .vjp
            ? .likeX(rowLength: draft.rowLength)
            : op.answerShape(rowLength: draft.rowLength, parameters)
        let (rows, rowOverflow) = (draft.rowCount * draft.stackCount).multipliedReportingOverflow(
            by: answer.rowsPerInputRow)
        let (elementCount, overflow) = rows.multipliedReportingOverflow(by: answer.rowLength)
        if rowOverflow || overflow || elementCount > Limits.numbersBytesMax {
            throw .answerTooLarge(byteCount: Int.max, limit: Limits.numbersBytesMax)
        }
        if let width = layout.width, width > answer.rowLength {
            throw .outOfRange(
                .init("width"),
                expected: "at most \(answer.addsAxis ? "k" : "n") = \(answer.rowLength)",
                found: "\(width)")
        }
        // int32 indices reach 2^31 - 1 stored numbers.
        let counts = layout.format == .csr && layout.indexDType == .int32
        if counts && elementCount > Int(Int32.max) {
            throw .outOfRange(
                .init("index_dtype"), expected: "\"int64\" for more than \(Int32.max) numbers",
                found: "\"int32\"")
        }
    }
}
