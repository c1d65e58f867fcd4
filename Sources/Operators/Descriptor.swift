/// What an operator is called, what it takes and what it gives: the one table from which decoding,
/// validation, GET /operators, metric labels and the contract test are made.
///
/// A class, as its parameters are: every request reads it on several threads, and copies of a
/// struct count references to each of its texts.
package final class OperatorDescriptor: Sendable {
    /// The name in requests and metric labels.
    package let name: String
    /// One sentence for people.
    package let summary: String
    /// The formula, in plain text.
    package let formula: String
    /// Paper and equation, or other origin.
    package let source: String
    package let parameters: [ParameterSpec]
    /// Whether -inf in x means "never select"; otherwise it is refused like NaN.
    package let acceptsNegativeInfinity: Bool
    /// Inputs beside x, in the order in which `RowBlock.inputs` holds them.
    package let inputs: [TensorSpec]
    /// Outputs beside the answer, in the order in which `OperatorOutput.specs` lists them.
    package let outputs: [TensorSpec]

    package init(
        name: String, summary: String, formula: String, source: String,
        parameters: [ParameterSpec], acceptsNegativeInfinity: Bool,
        inputs: [TensorSpec] = [], outputs: [TensorSpec] = []
    ) {
        self.name = name
        self.summary = summary
        self.formula = formula
        self.source = source
        self.parameters = parameters
        self.acceptsNegativeInfinity = acceptsNegativeInfinity
        self.inputs = inputs
        self.outputs = outputs
    }
}

/// An array beside x or beside the answer.
package struct TensorSpec: Sendable {
    package enum Shape: Sendable, Equatable {
        /// [B, n], or [n] for a single row: what everything else is measured by.
        case x
        /// Cotangents: [B, n] as the answer, or [G, B, n].
        case stackLikeAnswer
        /// Tangents: [B, n] as x, or [G, B, n].
        case stackLikeX
        /// A tree of members, lists, numbers and texts (`Document`).
        case document
        /// [B, n], as x.
        case likeX
        /// One row [n] for all rows of x, or [B, n]; read as float64.
        case weights
        /// One number a row, [B] (or [G, B] beside gradients).
        case perRow
        /// A list of `columns` numbers an entry, [m, columns]; for example edges with 2 columns.
        case list(columns: Int)
        /// A sorted list of columns a row, ragged.
        case indices
        /// Sparse rows as the answer's; the outputs of one group share their columns.
        case shared(group: String)
        /// Sparse rows as the answer's, with columns of its own.
        case sparse

        /// What GET /operators says of those that an operator declares.
        package static let names = [
            "like_x", "weights", "per_row", "list", "columns", "shared_columns", "sparse",
        ]

        package var name: String {
            switch self {
            case .likeX: Self.names[0]
            case .weights: Self.names[1]
            case .perRow: Self.names[2]
            case .list: Self.names[3]
            case .indices: Self.names[4]
            case .shared: Self.names[5]
            case .sparse: Self.names[6]
            case .x: "x"
            case .stackLikeAnswer: "cotangent"
            case .stackLikeX: "tangent"
            case .document: "document"
            }
        }
    }

    /// The numbers' type.
    package enum Element: Sendable, Equatable {
        /// That of x and the answer.
        case answer
        case float64
        case int64
        case bool
        /// One of these words. Operators append its place; JSON has the word, raw answers the
        /// place.
        case word([String])
    }

    package static let x = TensorSpec(
        name: "x", shape: .x, isRequired: true, doc: "One row [n] or many [B, n].")

    package let name: String
    package let shape: Shape
    package let type: Element
    package let isRequired: Bool
    package let doc: String

    package init(
        name: String, shape: Shape, type: Element = .answer, isRequired: Bool, doc: String
    ) {
        self.name = name
        self.shape = shape
        self.type = type
        self.isRequired = isRequired
        self.doc = doc
    }
}

/// One parameter of an operator.
package final class ParameterSpec: Sendable {
    package enum Kind: Sendable {
        /// A whole number; `atMostRowLength` bounds it by n.
        case integer(minimum: Int, maximum: Int?, atMostRowLength: Bool)
        /// A finite real number in a closed range, which `atMostRowLength` ends at n. `fractions`
        /// are spellings such as "4/3".
        case number(
            minimum: Double, maximum: Double?, fractions: [String: Double] = [:],
            atMostRowLength: Bool = false)
        /// One of these words.
        case choice([String])
        /// One or more of these words.
        case subset([String])
        case boolean
    }

    package enum Default: Sendable, Equatable {
        case required
        /// Required, unless one of these parameters or inputs comes in its place; together with it
        /// only where it is not exclusive.
        case requiredWithout([String], isExclusive: Bool)
        /// None: the operator asks whether it was given.
        case absent
        case integer(Int)
        case number(Double, spelling: String)
        case word(String)
        case words([String])
        case boolean(Bool)
    }

    package let name: String
    package let kind: Kind
    /// Whether an array with one value a row is taken too.
    package let isPerRow: Bool
    package let defaultValue: Default
    /// The default as requests hold it, made once; nil where there is none.
    package let defaultParameter: ParameterValue?
    package let unit: String
    /// The directions whose requests have it.
    package let directions: [Direction]
    package let doc: String

    /// Whether there is no default, even if an input may come in its place.
    package var isRequired: Bool {
        switch defaultValue {
        case .required, .requiredWithout: true
        default: false
        }
    }

    package init(
        name: String, kind: Kind, isPerRow: Bool, defaultValue: Default, unit: String,
        directions: [Direction] = Direction.allCases, doc: String
    ) {
        self.name = name
        self.kind = kind
        self.isPerRow = isPerRow
        self.defaultValue = defaultValue
        defaultParameter =
            switch defaultValue {
            case .required, .requiredWithout: nil
            // Nobody reads it.
            case .absent: .integers([0])
            case .integer(let value): .integers([value])
            case .number(let value, _): .numbers([value])
            case .word(let value): .word(value)
            case .words(let values): .words(values)
            case .boolean(let value): .boolean(value)
            }
        self.unit = unit
        self.directions = directions
        self.doc = doc
    }
}
