import Execution
import Operators

/// The fields that requests of a native route have, whatever their operator: which operator, and
/// how the answer is laid out.
struct NativeFields: Sendable {
    private let procedures: [Procedure]
    /// Names of the operators that have some procedure behind the route `operator` chooses on.
    private let operatorNames: [String]
    /// Whether requests say which operator: a route of one operator's own has no such field.
    private let hasOperator: Bool
    private let specs: Specs

    private struct Specs: Sendable {
        let op: ParameterSpec
        let dtype = NativeFields.choice("dtype", DType.allCases.map { $0.rawValue })
        let format = NativeFields.choice("format", AnswerFormat.allCases.map { $0.rawValue })
        let indexDType = NativeFields.choice(
            "index_dtype", IndexDType.allCases.map { $0.rawValue })
        let width = ParameterSpec(
            name: "width", kind: .integer(minimum: 1, maximum: nil, atMostRowLength: false),
            isPerRow: false, defaultValue: .absent, unit: "entries",
            doc: "Entries a row of a padded answer.")
    }

    /// - Parameter procedures: behind the route; the first is the default.
    init(_ procedures: [Procedure], _ catalog: Catalog) {
        self.procedures = procedures
        operatorNames = catalog.operatorNames
        hasOperator = procedures.contains {
            if case .rows = $0.work { true } else { false }
        }
        specs = Specs(op: Self.choice("operator", catalog.operatorNames))
    }

    private static func choice(_ name: String, _ words: [String]) -> ParameterSpec {
        ParameterSpec(
            name: name, kind: .choice(words), isPerRow: false, defaultValue: .absent,
            unit: "none", doc: "")
    }

    private static let names = ["operator", "dtype", "format", "index_dtype", "width"]

    /// Reads them, and begins an invocation.
    func builder(
        _ source: any TensorSource, _ pool: BufferPool
    ) throws(ServiceError) -> InvocationBuilder {
        guard hasOperator else {
            let layout = AnswerLayout(format: .dense, indexDType: .int64)
            return InvocationBuilder(
                procedures[0], dtype: .float64, layout, protocolNames: [], pool)
        }
        let procedure = try procedure(source)
        let dtype = try value(source, specs.dtype, DType.float32)
        let format = try value(source, specs.format, AnswerFormat.csr)
        let layout = AnswerLayout(
            format: format, indexDType: try value(source, specs.indexDType, IndexDType.int32),
            width: try width(source, format))
        return InvocationBuilder(
            procedure, dtype: dtype, layout, protocolNames: Self.names, pool)
    }

    private func procedure(_ source: any TensorSource) throws(ServiceError) -> Procedure {
        guard let name = try word(source, specs.op, operatorNames) else { return procedures[0] }
        if let found = procedures.first(where: { $0.operatorName == name }) { return found }
        guard operatorNames.contains(name) else {
            throw .unknownOperator(name: name, known: operatorNames)
        }
        throw .noSuchProcedure(operatorName: name, procedure: procedures[0].name)
    }

    private func value<Value: RawRepresentable<String> & CaseIterable>(
        _ source: any TensorSource, _ spec: ParameterSpec, _ fallback: Value
    ) throws(ServiceError) -> Value {
        let words = Value.allCases.map { $0.rawValue }
        guard let word = try word(source, spec, words) else { return fallback }
        guard let value = Value(rawValue: word) else {
            throw .outOfRange(
                .init(spec.name), expected: RawValue.spell(words),
                found: RawValue.text(word).summary)
        }
        return value
    }

    private func word(
        _ source: any TensorSource, _ spec: ParameterSpec, _ words: [String]
    ) throws(ServiceError) -> String? {
        guard let raw = try source.parameter(spec, rowCount: 0) else { return nil }
        guard case .text(let word) = raw else {
            throw .wrongType(.init(spec.name), expected: RawValue.spell(words), found: raw.summary)
        }
        return word
    }

    private func width(
        _ source: any TensorSource, _ format: AnswerFormat
    ) throws(ServiceError) -> Int? {
        guard let raw = try source.parameter(specs.width, rowCount: 0) else { return nil }
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
}
