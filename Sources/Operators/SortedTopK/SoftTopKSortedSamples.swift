/// What the tests of every operator run soft_topk_sorted with.
struct SoftTopKSortedSamples: OperatorSamples {
    func parameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue] {
        let k = Int.random(in: 1...max(1, n / 2), using: &random)
        let eps = random.pick(0.02, 0.1, 1)
        return ["k": .integers([min(k, 6)]), "eps": .numbers([eps])]
    }

    func smoothParameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue]? {
        ["k": .integers([Int.random(in: 1...n, using: &random)]), "eps": .numbers([0.7])]
    }

    var rowLengthMax: Int { 40 }
}

extension SoftTopKSorted: Sampled {
    var samples: any OperatorSamples { SoftTopKSortedSamples() }
}
