/// What the tests of every operator run soft_topk with.
struct SoftTopKSamples: OperatorSamples {
    func parameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue] {
        let whole = Double(Int.random(in: 1...max(1, n / 2), using: &random))
        let real = Double.random(in: 0...Double(n), using: &random)
        let k = Bool.random(using: &random) ? whole : real
        let tau = random.pick(0.001, 0.1, 1, 30)
        return ["k": .numbers([k]), "tau": .numbers([tau]), "mode": mode(&random)]
    }

    /// Not near k = 0 and k = n, where weights have no slope.
    func smoothParameters(
        rowLength n: Int, using random: inout some RandomNumberGenerator
    ) -> [String: ParameterValue]? {
        let k = Double.random(in: 0.3...Double(n) - 0.3, using: &random)
        return ["k": .numbers([k]), "tau": .numbers([0.4]), "mode": mode(&random)]
    }

    private func mode(_ random: inout some RandomNumberGenerator) -> ParameterValue {
        .word(random.pick("largest", "smallest"))
    }

    /// Computed in float32 where x has it: a few units off, and 0 where there is little left of
    /// float32's range.
    var rounding: AnswerRounding { .nearly(relative: 5e-7, absolute: 5e-38) }
}

extension SoftTopK: Sampled {
    var samples: any OperatorSamples { SoftTopKSamples() }
}
