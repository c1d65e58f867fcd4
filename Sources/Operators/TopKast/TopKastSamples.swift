/// What the tests of every operator run top_kast with.
struct TopKastSamples: OperatorSamples {
    func parameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue] {
        let forward = Int.random(in: 1...max(1, n / 2), using: &random)
        let backward = Int.random(in: forward...n, using: &random)
        return [
            "k_forward": .integers([forward]), "k_backward": .integers([backward]),
            "reg_kind": .word(random.pick("l1", "l2")), "reg_strength": .numbers([0.1]),
        ]
    }
}

extension TopKast: Sampled {
    var samples: any OperatorSamples { TopKastSamples() }
}
