/// What the tests of every operator run gaussian_k with.
struct GaussianKSamples: OperatorSamples {
    func parameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue] {
        [
            "density": .numbers([random.pick(0.01, 0.1, 0.5)]), "legacy_mean": .boolean(false),
            "on_miss": .word(random.pick("accept", "exact")),
        ]
    }
}

extension GaussianK: Sampled {
    var samples: any OperatorSamples { GaussianKSamples() }
}
