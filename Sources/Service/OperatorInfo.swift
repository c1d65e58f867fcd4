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

    private enum CodingKeys: String, CodingKey {
        case name, summary, formula, source, directions, dtypes, parameters
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
    }
}

/// One parameter of an operator.
struct ParameterInfo: Encodable {
    private let spec: ParameterSpec

    init(_ spec: ParameterSpec) { self.spec = spec }

    private enum Key: String, CodingKey {
        case name, type, minimum, maximum, values, required, unit, doc
        case perRow = "per_row"
        case defaultValue = "default"
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(spec.name, forKey: .name)
        try object.encode(spec.unit, forKey: .unit)
        try object.encode(spec.doc, forKey: .doc)
        try object.encode(spec.isPerRow, forKey: .perRow)
        try object.encode(spec.defaultValue == .required, forKey: .required)
        switch spec.kind {
        case .integer(let minimum, let atMostRowLength):
            try object.encode("integer", forKey: .type)
            try object.encode(minimum, forKey: .minimum)
            if atMostRowLength { try object.encode("n", forKey: .maximum) }
        case .number(let minimum, let maximum, let fractions):
            try object.encode("number", forKey: .type)
            try object.encode(minimum, forKey: .minimum)
            try object.encodeIfPresent(maximum, forKey: .maximum)
            if !fractions.isEmpty { try object.encode(fractions.keys.sorted(), forKey: .values) }
        case .choice(let words):
            try object.encode("string", forKey: .type)
            try object.encode(words, forKey: .values)
        }
        switch spec.defaultValue {
        case .required: break
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
