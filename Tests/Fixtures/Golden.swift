import Foundation
import Operators

/// One case of golden/sparse_topk_*.json: inputs exact in float32, answers from an 80-bit arbiter.
package struct GoldenCase: Decodable, Sendable, CustomStringConvertible {
    package let id: Int
    package let op: String
    package let pValue: Double
    package let lam: Double
    package let k: Int
    package let n: Int
    package let x: [Double]
    package let y: [Double]
    package let c: [Double]
    package let vjp: [Double]
    package let minDistToKink: Double?
    package let maxAbsVjp: Double

    package var description: String { "#\(id) \(op) p=\(pValue) lambda=\(lam) k=\(k) n=\(n)" }

    /// The name of the operator in the service.
    package var operatorName: String { op == "mag" ? "magnitude" : op }

    /// MATH.md: 1e-10 or 1e-5, times max |x| for magnitude; 1e-7 for p = 3 next to a kink.
    package func answerTolerance(_ dtype: DType) -> Double {
        let nearKink = pValue == 3 && (minDistToKink ?? 1) < 1e-6
        let base = dtype == .float32 ? 1e-5 : nearKink ? 1e-7 : 1e-10
        return op == "mag" ? base * (x.map { abs($0) }.max() ?? 1) : base
    }

    /// MATH.md: relative to max(1, max |vjp|); nil where float32 is too close to a kink to judge.
    package func gradientTolerance(_ dtype: DType) -> Double? {
        if dtype == .float32 && (minDistToKink ?? 1) < 1e-4 { return nil }
        return (dtype == .float32 ? 1e-3 : 1e-8) * max(1, maxAbsVjp)
    }

    /// The cases whose inputs are of `dtype`.
    package static func load(_ dtype: DType) -> [GoldenCase] {
        struct File: Decodable { let cases: [GoldenCase] }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            let data = try Data(contentsOf: goldenURL("sparse_topk_\(dtype.rawValue)"))
            return try decoder.decode(File.self, from: data).cases
        } catch {
            fatalError("golden data: \(error)")
        }
    }

    private static func goldenURL(_ name: String) -> URL {
        guard let url = Bundle.module.url(forResource: "Golden/\(name)", withExtension: "json")
        else {
            fatalError("golden data \(name) is not in the test bundle")
        }
        return url
    }
}
