import Fixtures
import Operators
import Testing

/// Catches an operator that came without samples, or with a parameter that it does not have: the
/// tests of every operator would run with a default in its place.
@Suite struct SamplesTests {
    @Test("every operator has samples, of parameters that it has", arguments: Registry.names)
    func present(_ name: String) throws {
        let op = try #require(Registry.find(name))
        let samples = try Samples.of(op)
        var random = SplitMix64(seed: 7)
        let known = op.descriptor.parameters.map { $0.name }
        for n in [2, 3, 40] {
            let named = samples.parameters(rowLength: n, using: &random)
            let smooth = samples.smoothParameters(rowLength: n, using: &random) ?? [:]
            for parameter in Array(named.keys) + Array(smooth.keys) {
                #expect(known.contains(parameter), "\(name) has no parameter \(parameter)")
            }
        }
    }
}
