import Operators

/// Named tensors and raw parameters in the bytes of one request: what an encoding makes of a body.
/// It reads what it is asked for; whether that is right the builder decides.
///
/// Made for one request, used by one thread.
package protocol TensorSource: AnyObject {
    /// Names of everything that came, parameters and tensors, in the order in which they came.
    var names: [String] { get }

    /// Names beside parameters that may be among `names`: of tensors, and what else requests of
    /// this encoding have, such as the shape of x where the body does not say it.
    func ownNames(_ procedure: Procedure) -> [String]

    /// Where a name belongs that means something in other requests, in words that complete "it
    /// belongs in"; nil where it means nothing.
    func place(of name: String, _ procedure: Procedure) -> String?

    /// A parameter as the client wrote it; nil if it did not come.
    ///
    /// - Parameter rowCount: the most numbers that one value may have.
    func parameter(_ spec: ParameterSpec, rowCount: Int) throws(ServiceError) -> RawValue?

    /// Called once, before the first tensor is asked for.
    func begin(_ procedure: Procedure, _ dtype: DType, _ layout: AnswerLayout) throws(ServiceError)

    /// Whether a tensor, list or document of this name came.
    func hasInput(_ name: String) -> Bool

    /// A tensor of numbers; nil if it did not come.
    func tensor(_ question: TensorQuestion) throws(ServiceError) -> EncodedTensor?

    /// A list of columns for each row of x; nil if it did not come.
    func lists(_ question: TensorQuestion) throws(ServiceError) -> IndexLists?

    /// A document; nil if it did not come.
    func document(_ name: String) throws(ServiceError) -> Document?

    /// After the last: refuses what is left over.
    func finish() throws(ServiceError)
}

/// What encodings that carry no lists or documents answer.
extension TensorSource {
    package func ownNames(_ procedure: Procedure) -> [String] { procedure.inputs.map { $0.name } }
    package func place(of name: String, _ procedure: Procedure) -> String? { nil }
    package func begin(
        _ procedure: Procedure, _ dtype: DType, _ layout: AnswerLayout
    ) throws(ServiceError) {}
    package func lists(_ question: TensorQuestion) throws(ServiceError) -> IndexLists? { nil }
    package func document(_ name: String) throws(ServiceError) -> Document? { nil }
    package func finish() throws(ServiceError) {}
}

/// What the builder wants to know of one tensor.
package struct TensorQuestion {
    package let spec: TensorSpec
    /// The type to read numbers as, where the encoding's have none of their own.
    package let dtype: DType
    /// Whether -inf is taken.
    package let takesNegativeInfinity: Bool
    /// The shape that it should have, without the leading axis of stacks; nil for x, which has any.
    package let shape: [Int]?
    /// The batch that it goes with; nil for x itself.
    package let x: BatchShape?
    package let isSingleRow: Bool
    /// What its axes are, for the places of mistakes.
    package let form: ServiceError.Place.Form
}

/// A tensor where an encoding found it, or put it.
package struct EncodedTensor {
    package let dtype: DType
    /// One to four axes.
    package let shape: [Int]
    package let buffer: RawBuffer
    /// Where it begins. Any alignment: the builder copies what lies odd.
    package let byteOffset: Int

    package init(dtype: DType, shape: [Int], _ buffer: RawBuffer, byteOffset: Int = 0) {
        self.dtype = dtype
        self.shape = shape
        self.buffer = buffer
        self.byteOffset = byteOffset
    }
}
