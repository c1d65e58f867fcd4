import Operators

/// What GET /operators says of all operators: their descriptors, for machines.
struct OperatorPage: Encodable {
    let operators: [OperatorInfo]
}

/// One operator.
struct OperatorInfo: Encodable {
    let name: String
    let summary: String
    let formula: String
    let source: String
    let directions: [String]
    let dtypes: [String]
    let acceptsNegativeInfinity: Bool
    let parameters: [ParameterInfo]
    let inputs: [TensorInfo]
    let outputs: [TensorInfo]

    private enum CodingKeys: String, CodingKey {
        case name, summary, formula, source, directions, dtypes, parameters, inputs, outputs
        case acceptsNegativeInfinity = "accepts_negative_infinity"
    }

    init(_ op: any Operator) {
        let descriptor = op.descriptor
        name = descriptor.name
        summary = descriptor.summary
        formula = descriptor.formula
        source = descriptor.source
        directions = op.directions.map { $0.rawValue }
        dtypes = DType.allCases.map { $0.rawValue }
        acceptsNegativeInfinity = descriptor.acceptsNegativeInfinity
        parameters = descriptor.parameters.map { ParameterInfo($0) }
        inputs = descriptor.inputs.map { TensorInfo($0) }
        outputs = descriptor.outputs.map { TensorInfo($0) }
    }
}

/// An array beside x or beside the answer.
struct TensorInfo: Encodable {
    let name: String
    let shape: String
    let doc: String
    let required: Bool

    init(_ spec: TensorSpec) {
        name = spec.name
        shape = spec.shape.name
        doc = spec.doc
        required = spec.isRequired
    }
}

/// One parameter of an operator.
struct ParameterInfo: Encodable {
    private let spec: ParameterSpec

    init(_ spec: ParameterSpec) { self.spec = spec }

    private enum Key: String, CodingKey {
        case name, type, minimum, maximum, values, required, unit, doc, directions
        case perRow = "per_row"
        case defaultValue = "default"
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(spec.name, forKey: .name)
        try object.encode(spec.unit, forKey: .unit)
        try object.encode(spec.doc, forKey: .doc)
        try object.encode(spec.isPerRow, forKey: .perRow)
        try object.encode(spec.directions.map { $0.rawValue }, forKey: .directions)
        try object.encode(spec.isRequired, forKey: .required)
        switch spec.kind {
        case .boolean:
            try object.encode("boolean", forKey: .type)
        case .subset(let words):
            try object.encode("array", forKey: .type)
            try object.encode(words, forKey: .values)
        case .integer(let minimum, let maximum, let atMostRowLength):
            try object.encode("integer", forKey: .type)
            try object.encode(minimum, forKey: .minimum)
            try object.encodeIfPresent(maximum, forKey: .maximum)
            if atMostRowLength { try object.encode("n", forKey: .maximum) }
        case .number(let minimum, let maximum, let fractions, let atMostRowLength):
            try object.encode("number", forKey: .type)
            try object.encode(minimum, forKey: .minimum)
            try object.encodeIfPresent(maximum, forKey: .maximum)
            if atMostRowLength { try object.encode("n", forKey: .maximum) }
            if !fractions.isEmpty { try object.encode(fractions.keys.sorted(), forKey: .values) }
        case .choice(let words):
            try object.encode("string", forKey: .type)
            try object.encode(words, forKey: .values)
        }
        switch spec.defaultValue {
        case .required, .requiredWithout, .absent: break
        case .boolean(let value): try object.encode(value, forKey: .defaultValue)
        case .words(let words): try object.encode(words, forKey: .defaultValue)
        case .integer(let value): try object.encode(value, forKey: .defaultValue)
        case .number(let value, let spelling):
            // A spelling that is a number is given as one.
            if Double(spelling) == value {
                try object.encode(value, forKey: .defaultValue)
            } else {
                try object.encode(spelling, forKey: .defaultValue)
            }
        case .word(let word): try object.encode(word, forKey: .defaultValue)
        }
    }
}
