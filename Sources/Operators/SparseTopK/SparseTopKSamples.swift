/// What the tests of every operator run mask, values and magnitude with.
struct SparseTopKSamples: OperatorSamples {
    func parameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue] {
        let k = Int.random(in: 1...max(1, n / 2), using: &random)
        let p = random.pick(Exponent.fourThirds, 1.5, 2, 3)
        let lambda = random.pick(0.001, 0.1, 1, 30)
        return ["k": .integers([k]), "lambda": .numbers([lambda]), "p": .numbers([p])]
    }
}

extension SparseTopKOperator {
    package var samples: any OperatorSamples { SparseTopKSamples() }
}
