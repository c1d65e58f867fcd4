import Fixtures
import Operators
import Testing

/// Catches a kernel whose digits depend on the processor: a fused multiply-add, a sum whose order
/// follows the width of a register, a helper that is left out of an instruction set.
///
/// Serialized, and bit for bit: other tests may run meanwhile, on any of the sets.
@Suite(.serialized) struct InstructionSetTests {
    @Test("every instruction set gives the same bits", arguments: Registry.names)
    func sameBits(_ name: String) throws {
        let op = try #require(Registry.find(name))
        defer { InstructionSet.pin(.best) }
        for dtype in [DType.float32, .float64] {
            var random = SplitMix64(seed: 11)
            for _ in 0..<400 {
                let kind = Int.random(in: 0..<HostileRow.kindCount, using: &random)
                let n = try Samples.lengths(op, [1, 7, 16, 64, 100, 700, 9000])
                    .randomElement(using: &random)!
                let x = HostileRow.make(kind, n, &random).map {
                    dtype == .float32 ? Double(Float($0)) : $0
                }
                if x.contains(where: { !$0.isFinite }) { continue }
                let parameters = try Self.parameters(op, n, &random)
                let length = Samples.cotangentLength(op, n: n, parameters)
                let c = (0..<length).map { _ in Double(Float.random(in: -1...1, using: &random)) }
                var seen: [[[Double]]] = []
                for set in InstructionSet.allCases where set <= .best {
                    InstructionSet.pin(set)
                    let y = try Compute.forward(op, [x], dtype: dtype, parameters)
                    let g = try Compute.vjp(op, [x], [[c]], dtype: dtype, parameters)
                    seen.append(y + g[0])
                }
                #expect(
                    seen.allSatisfy { $0 == seen[0] },
                    "\(name) \(dtype) kind \(kind) n \(n)")
            }
        }
    }

    private static func parameters(
        _ op: any Operator, _ n: Int, _ random: inout SplitMix64
    ) throws -> ParameterValues {
        guard Names.sparseTopK.contains(op.descriptor.name) else {
            return try Samples.parameters(op, n: n, using: &random)
        }
        let k = Int.random(
            in: 1...min(n, [3, 20, n].randomElement(using: &random)!), using: &random)
        let p = [4.0 / 3, 2, 3, 1.5, 7].randomElement(using: &random)!
        return Compute.parameters(
            op, k: [k], lambda: [[0.01, 0.1, 10].randomElement(using: &random)!], p: p)
    }
}
