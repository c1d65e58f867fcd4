import Inference
import Operators

/// The parameters that every request has, whatever its operator and codec.
struct CommonFields {
    let op: any Operator
    let direction: Direction
    let dtype: DType
    let layout: AnswerLayout

    static let names = ["operator", "dtype", "format", "index_dtype", "width"]

    /// - Parameter lookUp: the value of a field by name; nil where it is absent.
    init(_ direction: Direction, lookUp: (String) -> RawValue?) throws(ServiceError) {
        let name = try Self.word(lookUp, "operator", Registry.names, Registry.names[0])
        guard let op = Registry.find(name) else {
            throw .unknownOperator(name: name, known: Registry.names)
        }
        guard op.directions.contains(direction) else {
            throw .noSuchDirection(operatorName: name, direction: direction)
        }
        self.op = op
        self.direction = direction
        dtype = try Self.choice(lookUp, "dtype", DType.float32)
        let format = try Self.choice(lookUp, "format", AnswerFormat.csr)
        layout = AnswerLayout(
            format: format, indexDType: try Self.choice(lookUp, "index_dtype", IndexDType.int32),
            width: try Self.width(lookUp, format))
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ lookUp: (String) -> RawValue?, _ name: String, _ fallback: Value
    ) throws(ServiceError) -> Value {
        let words = Value.allCases.map { $0.rawValue }
        let word = try word(lookUp, name, words, fallback.rawValue)
        guard let value = Value(rawValue: word) else {
            throw .outOfRange(
                .init(name), expected: RawValue.spell(words), found: RawValue.text(word).summary)
        }
        return value
    }

    private static func word(
        _ lookUp: (String) -> RawValue?, _ name: String, _ words: [String], _ fallback: String
    ) throws(ServiceError) -> String {
        guard let raw = lookUp(name) else { return fallback }
        guard case .text(let word) = raw else {
            throw .wrongType(.init(name), expected: RawValue.spell(words), found: raw.summary)
        }
        return word
    }

    private static func width(
        _ lookUp: (String) -> RawValue?, _ format: AnswerFormat
    ) throws(ServiceError) -> Int? {
        guard let raw = lookUp("width") else { return nil }
        let expected = "a whole number of at least 1"
        guard case .number(let width) = raw, width == width.rounded(.towardZero) else {
            throw .wrongType(.init("width"), expected: expected, found: raw.summary)
        }
        guard width >= 1 && width <= Double(Limits.rowLengthMax) else {
            throw .outOfRange(.init("width"), expected: expected, found: raw.summary)
        }
        if format != .padded {
            throw .incompatible(name: "width", reason: "only format padded has it")
        }
        return Int(width)
    }

    /// The operator's parameters in this direction.
    var parameters: [ParameterSpec] {
        op.descriptor.parameters.filter { $0.directions.contains(direction) }
    }

    /// Names of the further inputs that raw bodies can have; weights are float64 and few.
    var rawInputs: [String] {
        op.descriptor.inputs.filter { $0.shape != .weights }.map { $0.name }
    }

    /// Refuses names that neither the codec nor the operator knows.
    ///
    /// - Parameter elsewhere: names that are known in another kind of request, and where.
    func refuseUnknown(
        _ names: [String], alsoKnown: [String], elsewhere: (String) -> String?
    ) throws(ServiceError) {
        for name in names where !alsoKnown.contains(name) && !Self.names.contains(name) {
            let spec = op.descriptor.parameters.first { $0.name == name }
            if let spec, spec.directions.contains(direction) { continue }
            if let place = elsewhere(name) {
                throw .misplacedParameter(name: name, belongs: place)
            }
            if let spec {
                let paths = spec.directions.map { $0 == .forward ? "/topk" : "/topk/\($0)" }
                throw .misplacedParameter(
                    name: name, belongs: "POST " + paths.joined(separator: ", "))
            }
            let known = alsoKnown + Self.names + parameters.map { $0.name }
            throw .unknownParameter(name: name, known: known)
        }
    }

    /// The shape of what a stack brings for a row of x: cotangents are shaped like the answer,
    /// tangents like x.
    func stackShape(rowLength n: Int, _ parameters: ParameterValues) -> AnswerShape {
        direction == .vjp
            ? op.answerShape(rowLength: n, parameters)
            : AnswerShape(rowsPerInputRow: 1, rowLength: n, addsAxis: false)
    }

    /// What does not fit together in the answer's form.
    ///
    /// - Parameter rowCount: of x, times the stack's.
    func checkLayout(
        rowCount: Int, rowLength n: Int, _ parameters: ParameterValues
    ) throws(ServiceError) {
        let answer =
            direction == .vjp
            ? AnswerShape(rowsPerInputRow: 1, rowLength: n, addsAxis: false)
            : op.answerShape(rowLength: n, parameters)
        let (rows, rowOverflow) = rowCount.multipliedReportingOverflow(by: answer.rowsPerInputRow)
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
