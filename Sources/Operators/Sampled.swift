/// An operator that says what the tests of every operator run it with. Each registered one does, in
/// a file of its own folder; the service never asks.
package protocol Sampled: Operator {
    /// What the tests run it with.
    var samples: any OperatorSamples { get }
}

/// What the tests of every operator have to know of one.
package protocol OperatorSamples: Sendable {
    /// Random values of parameters by their names, for rows of n >= 2 numbers of about unit size;
    /// a parameter that is left out has its default.
    func parameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue]

    /// The same for a comparison with finite differences: values for which the answer is smooth and
    /// its derivatives are of about unit size. nil for an operator that has kinks or jumps.
    func smoothParameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue]?

    /// The longest row that a debug build computes in a moment.
    var rowLengthMax: Int { get }

    /// How near an answer in a narrow type is to the answer in float64.
    var rounding: AnswerRounding { get }
}

extension OperatorSamples {
    /// Most operators have kinks or jumps.
    package func smoothParameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue]? { nil }

    /// Most operators are quick.
    package var rowLengthMax: Int { .max }

    /// Most operators compute in float64.
    package var rounding: AnswerRounding { .once }
}

/// How near an answer in a narrow type is to the answer in float64.
package enum AnswerRounding: Sendable {
    /// It is the nearest number of the type, and so are products with the Jacobian.
    case once
    /// It is the nearest number or off by at most relative |y| + absolute; of products with the
    /// Jacobian no digit is promised.
    case nearly(relative: Double, absolute: Double)
}

extension RandomNumberGenerator {
    /// One of some values, each as likely as the others.
    mutating func pick<Value>(_ values: Value...) -> Value {
        values[Int.random(in: 0..<values.count, using: &self)]
    }
}
