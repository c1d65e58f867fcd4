import Fixtures
import Operators
import Testing

/// Catches any error of the formulas, the solver or the rounding: every number of the golden files.
@Suite struct GoldenTests {
    @Test("every golden case, forward and vjp", arguments: [DType.float32, .float64])
    func golden(_ dtype: DType) throws {
        var compared = 0
        for golden in GoldenCase.load(dtype) where golden.k >= 1 {
            let op = try #require(Registry.find(golden.operatorName))
            let parameters = Compute.parameters(
                op, k: [golden.k], lambda: [golden.lam], p: golden.pValue)
            let y = try Compute.forward(op, [golden.x], dtype: dtype, parameters)[0]
            let tolerance = golden.answerTolerance(dtype)
            for (i, (actual, expected)) in zip(y, golden.y).enumerated() {
                #expect(abs(actual - expected) <= tolerance, "\(golden) y[\(i)]")
            }
            guard let tolerance = golden.gradientTolerance(dtype) else { continue }
            let gradient = try Compute.vjp(op, [golden.x], [[golden.c]], dtype: dtype, parameters)
            for (i, (actual, expected)) in zip(gradient[0][0], golden.vjp).enumerated() {
                #expect(abs(actual - expected) <= tolerance, "\(golden) vjp[\(i)]")
            }
            compared += 1
        }
        #expect(compared > 60)
    }

    @Test("the float64 tolerance is sharp: a float32 kernel fails it")
    func float32KernelFailsFloat64() throws {
        var failures = 0
        for golden in GoldenCase.load(.float64) where golden.k >= 1 {
            let op = try #require(Registry.find(golden.operatorName))
            let parameters = Compute.parameters(
                op, k: [golden.k], lambda: [golden.lam], p: golden.pValue)
            let y = try Compute.forward(op, [golden.x], dtype: .float32, parameters)[0]
            let tolerance = golden.answerTolerance(.float64)
            if zip(y, golden.y).contains(where: { abs($0 - $1) > tolerance }) { failures += 1 }
        }
        #expect(failures > 40)
    }
}
