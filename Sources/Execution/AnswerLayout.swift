/// How the answer's numbers are laid out.
package enum AnswerFormat: String, CaseIterable, Sendable {
    /// Sparse rows of any length.
    case csr
    /// Every number.
    case dense
    /// Sparse rows of one length, for compilers that want static shapes.
    case padded
}

/// The type of indptr and indices on the wire.
package enum IndexDType: String, CaseIterable, Sendable {
    case int32
    case int64

    package var byteCount: Int { self == .int32 ? 4 : 8 }
}

/// What the request says of its answer's layout.
package struct AnswerLayout: Sendable {
    package let format: AnswerFormat
    package let indexDType: IndexDType
    /// Entries a row of a padded answer; nil for as many as the longest has.
    package let width: Int?

    package init(format: AnswerFormat, indexDType: IndexDType, width: Int? = nil) {
        self.format = format
        self.indexDType = indexDType
        self.width = width
    }
}
