import Operators

/// Names of operators by what their tests may ask of them.
package enum Names {
    /// Those of arXiv:2302.01425: lambda, p, solvers.
    package static let sparseTopK = ["mask", "values", "magnitude"]
    /// Those with a VJP: the true one, or a restricted one.
    package static let withVJP = Registry.all.filter { $0.directions.contains(.vjp) }
        .map { op in op.descriptor.name }
}

/// Parameters for any registered operator: what the tests of every operator run with. A new one
/// needs a line here, or they fail.
package enum Samples {
    /// Random ones for rows of `n` >= 2 numbers of about unit size.
    package static func parameters(
        _ op: any Operator, n: Int, using random: inout SplitMix64
    ) -> ParameterValues {
        let k = Int.random(in: 1...max(1, n / 2), using: &random)
        let word = { (words: [String], random: inout SplitMix64) -> ParameterValue in
            .word(words.randomElement(using: &random)!)
        }
        switch op.descriptor.name {
        case "mask", "values", "magnitude":
            let p = [4.0 / 3, 1.5, 2, 3].randomElement(using: &random)!
            let lambda = [0.001, 0.1, 1, 30].randomElement(using: &random)!
            return Compute.parameters(op, k: [k], lambda: [lambda], p: p)
        case "soft_topk":
            let real = Double.random(in: 0...Double(n), using: &random)
            let isWhole = Bool.random(using: &random)
            let tau = [0.001, 0.1, 1, 30].randomElement(using: &random)!
            return Compute.parameters(
                op,
                [
                    "k": .numbers([isWhole ? Double(k) : real]), "tau": .numbers([tau]),
                    "mode": word(["largest", "smallest"], &random),
                ])
        case "soft_topk_sorted":
            let eps = [0.02, 0.1, 1].randomElement(using: &random)!
            return Compute.parameters(op, ["k": .integers([min(k, 6)]), "eps": .numbers([eps])])
        case "top_kast":
            return Compute.parameters(
                op,
                [
                    "k_forward": .integers([k]),
                    "k_backward": .integers([Int.random(in: k...n, using: &random)]),
                    "reg_kind": word(["l1", "l2"], &random), "reg_strength": .numbers([0.1]),
                ])
        case "gaussian_k":
            let density = [0.01, 0.1, 0.5].randomElement(using: &random)!
            return Compute.parameters(
                op,
                [
                    "density": .numbers([density]), "legacy_mean": .boolean(false),
                    "on_miss": word(["accept", "exact"], &random),
                ])
        default:
            fatalError("no sample parameters for \(op.descriptor.name): add a line here")
        }
    }

    /// Those of some row lengths that take no more than a moment in a debug build.
    package static func lengths(_ op: any Operator, _ lengths: [Int]) -> [Int] {
        op.addsAxis ? lengths.map { min($0, 40) } : lengths
    }

    /// Whether an answer in `dtype` is what it should be, given that in float64: the nearest
    /// number, or for operators that compute in float32 where x has it, a few units off, and 0
    /// where there is little left of float32's range.
    package static func isRounded(
        _ op: any Operator, _ found: [Double], from wide: [Double], _ dtype: DType
    ) -> Bool {
        let nearest = Compute.rounded(wide, dtype)
        guard op.descriptor.name == "soft_topk" else { return found == nearest }
        return zip(found, zip(nearest, wide)).allSatisfy { found, expected in
            let slack = 5e-7 * abs(expected.1) + 5e-38
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
