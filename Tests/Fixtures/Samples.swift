import Operators

/// Names of operators by what their tests may ask of them.
package enum Names {
    /// Those of the folder SparseTopK (arXiv:2302.01425): lambda, p, solvers.
    package static let sparseTopK = ["mask", "values", "magnitude"]
    /// Those with a VJP: the true one, or a restricted one.
    package static let withVJP = Registry.all.filter { $0.directions.contains(.vjp) }
        .map { op in op.descriptor.name }
}

/// What the tests of every operator run with: what the operator itself says, see `Sampled`.
package enum Samples {
    /// A registered operator that says nothing.
    package struct Missing: Error, CustomStringConvertible {
        /// The operator's name.
        package let name: String

        /// What has to be added.
        package var description: String {
            "\(name) has no samples: conform it to Sampled in a file of its folder, as "
                + "Sources/Operators/SoftTopK/SoftTopKSamples.swift does for soft_topk"
        }
    }

    /// Those of an operator.
    package static func of(_ op: any Operator) throws(Missing) -> any OperatorSamples {
        guard let op = op as? any Sampled else { throw Missing(name: op.descriptor.name) }
        return op.samples
    }

    /// Random parameters for rows of `n` >= 2 numbers of about unit size.
    package static func parameters(
        _ op: any Operator, n: Int, using random: inout SplitMix64
    ) throws(Missing) -> ParameterValues {
        Compute.parameters(op, try of(op).parameters(rowLength: n, using: &random))
    }

    /// Those of some row lengths that take no more than a moment in a debug build.
    package static func lengths(_ op: any Operator, _ lengths: [Int]) throws(Missing) -> [Int] {
        let longest = try of(op).rowLengthMax
        return lengths.map { min($0, longest) }
    }

    /// Whether an answer in `dtype` is what it should be, given the answer in float64.
    package static func isRounded(
        _ op: any Operator, _ found: [Double], from wide: [Double], _ dtype: DType
    ) throws(Missing) -> Bool {
        let nearest = Compute.rounded(wide, dtype)
        guard case .nearly(let relative, let absolute) = try of(op).rounding else {
            return found == nearest
        }
        return zip(found, zip(nearest, wide)).allSatisfy { found, expected in
            let slack = relative * abs(expected.1) + absolute
            return abs(found - expected.0) <= slack
                || abs(found - expected.1) <= abs(expected.0 - expected.1) + slack
        }
    }

    /// Numbers that belong to one row of x in a cotangent.
    package static func cotangentLength(
        _ op: any Operator, n: Int, _ parameters: ParameterValues
    ) -> Int {
        let shape = op.answerShape(rowLength: n, parameters)
        return shape.rowsPerInputRow * shape.rowLength
    }
}
