import Inference
import Operators

/// The parameters that every request has, whatever its operator and codec.
struct CommonFields {
    let op: any Operator
    let dtype: DType
    let format: AnswerFormat
    let indexDType: IndexDType

    static let names = ["operator", "dtype", "format", "index_dtype"]

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
        dtype = try Self.choice(lookUp, "dtype", DType.float32)
        format = try Self.choice(lookUp, "format", AnswerFormat.csr)
        indexDType = try Self.choice(lookUp, "index_dtype", IndexDType.int32)
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ lookUp: (String) -> RawValue?, _ name: String, _ fallback: Value
    ) throws(ServiceError) -> Value {
        let words = Value.allCases.map { $0.rawValue }
        let word = try word(lookUp, name, words, fallback.rawValue)
        guard let value = Value(rawValue: word) else {
            throw .outOfRange(
                .init(name), expected: words.map { "\"\($0)\"" }.joined(separator: " or "),
                found: RawValue.text(word).summary)
        }
        return value
    }

    private static func word(
        _ lookUp: (String) -> RawValue?, _ name: String, _ words: [String], _ fallback: String
    ) throws(ServiceError) -> String {
        guard let raw = lookUp(name) else { return fallback }
        guard case .text(let word) = raw else {
            let expected = words.map { "\"\($0)\"" }.joined(separator: " or ")
            throw .wrongType(.init(name), expected: expected, found: raw.summary)
        }
        return word
    }

    /// Refuses names that neither the codec nor the operator knows.
    ///
    /// - Parameter elsewhere: names that are known in another kind of request, and where.
    func refuseUnknown(
        _ names: [String], alsoKnown: [String], elsewhere: [String: String]
    ) throws(ServiceError) {
        let known = alsoKnown + Self.names + op.descriptor.parameters.map { $0.name }
        for name in names where !known.contains(name) {
            if let place = elsewhere[name] { throw .misplacedParameter(name: name, belongs: place) }
            throw .unknownParameter(name: name, known: known)
        }
    }

    /// int32 indices reach 2^31 - 1 stored numbers.
    func checkIndexRange(elementCount: Int) throws(ServiceError) {
        if format == .csr && indexDType == .int32 && elementCount > Int(Int32.max) {
            throw .outOfRange(
                .init("index_dtype"), expected: "\"int64\" for more than \(Int32.max) numbers",
                found: "\"int32\"")
        }
    }
}
