import Fixtures
import Glibc
import Operators
import Testing

/// soft_topk in float32, and of long rows, against the definition in wider arithmetic.
@Suite struct SoftFloatTests {
    private func op() throws -> any Operator { try #require(Registry.find("soft_topk")) }

    private struct Weights<Number: BinaryFloatingPoint> {
        /// y and 1 - y, neither by subtraction from the other.
        var own: [Number]
        var other: [Number]

        /// At u = (t - centre) / tau.
        init(_ x: [Number], _ u: Number, _ tau: Number, _ exp: (Number) -> Number) {
            own = x.map { 1 / (1 + exp(u - $0 / tau)) }
            other = x.map { 1 / (1 + exp($0 / tau - u)) }
        }
    }

    /// The definition by bisection: what is wrong on either side of the k-th, summed apart.
    private func reference(_ x: [Double], k: Double, tau: Double) -> Weights<Wide> {
        let centre = Wide(x.sorted(by: >)[min(Int(k), x.count - 1)])
        let x = x.map { Wide($0) - centre }
        let tau = Wide(tau)
        var low = x.filter { $0.isFinite }.min()! / tau - 12000
        var high = x.max()! / tau + 12000
        let above = Wide(x.filter { $0 > 0 }.count)
        for _ in 0..<200 {
            let middle = (low + high) / 2
            let weights = Weights(x, middle, tau, { exp($0) })
            var excess = above - Wide(k)
            for i in x.indices { excess += x[i] > 0 ? -weights.other[i] : weights.own[i] }
            if excess > 0 { low = middle } else { high = middle }
        }
        return Weights(x, (low + high) / 2, tau, { exp($0) })
    }

    // Catches: digits lost far from the threshold, at offsets, at any scale of x and tau; slopes
    // that are 1 - y by subtraction; a centre on the wrong side of ties.
    @Test("float32 is the definition but for its last digits", arguments: [false, true])
    func definition(_ isGradient: Bool) throws {
        var random = SplitMix64(seed: 68)
        var worst = 0.0
        for trial in 0..<400 {
            let n = Int.random(in: 2...40, using: &random)
            let scale = [0x1p-100, 0x1p-10, 1, 64, 0x1p100].randomElement(using: &random)!
            var x = random.normals(n)
            switch trial % 5 {
            case 1: x = x.map { $0.rounded() }
            case 2: x = x.map { $0 + 1e4 }
            case 3: x = x.map { $0 > 0 ? $0 + 10 : $0 - 10 }
            case 4: x[0] = 1e6
            default: break
            }
            x = x.map { Double(Float($0 * scale)) }
            let tau = scale * [1e-3, 0.1, 1, 100].randomElement(using: &random)!
            let whole = Double(Int.random(in: 1..<n, using: &random))
            let k = [whole, whole - 0.3, whole + 1e-6, whole - 1e-6][trial / 5 % 4]
            let op = try op()
            let parameters = Compute.parameters(op, ["k": .numbers([k]), "tau": .numbers([tau])])
            // What is less than its floor may be 0, or have few digits.
            let expected = reference(x, k: k, tau: tau)
            let place = "trial \(trial) n \(n) k \(k) tau \(tau) scale \(scale)"
            func check(_ found: [Double], _ wanted: [Double], _ floors: [Double]) {
                for i in x.indices {
                    let error = abs(found[i] - wanted[i]) / max(abs(wanted[i]), floors[i])
                    worst = max(worst, error)
                    #expect(error < 1e-6, "\(place) at \(i): \(found[i]), \(wanted[i])")
                }
            }
            guard isGradient else {
                let y = try Compute.forward(op, [x], dtype: .float32, parameters)[0]
                check(y, expected.own.map { Double($0) }, x.map { _ in 0x1p-80 })
                continue
            }
            let c = random.normals(n).map { Double(Float($0)) }
            let g = try Compute.vjp(op, [x], [[c]], dtype: .float32, parameters)[0][0]
            let w = zip(expected.own, expected.other).map { $0 * $1 }
            // Of a row whose entries are all decided there may be nothing left.
            let total = w.reduce(0, +)
            if total < 0x1p-80 { continue }
            let mean = zip(w, c).reduce(0) { $0 + $1.0 * Wide($1.1) } / total
            check(
                g, zip(w, c).map { Double($0 * (Wide($1) - mean) / Wide(tau)) },
                w.map { max(Double(max($0, 0x1p-80) / Wide(tau)), 0x1p-105) })
        }
        print("SoftFloatTests: off by up to \(worst)")
    }

    private static let longKinds = ["normal", "sorted", "steps", "clusters", "mask", "outliers"]

    private func longRow(_ kind: String, _ n: Int, _ random: inout SplitMix64) -> [Double] {
        let x = random.normals(n)
        switch kind {
        case "sorted": return x.sorted()
        case "steps": return x.map { $0.rounded() }
        case "clusters": return x.enumerated().map { $0 % 16 < 8 ? $1 / 1024 : 4 + $1 / 1024 }
        case "mask": return x.enumerated().map { $0 % 3 == 0 ? $1 : -.infinity }
        case "outliers": return x.enumerated().map { $0 % 997 == 5 ? $1 + 1000 : $1 }
        default: return x
        }
    }

    // Catches: shares by their series where a sample's centre is far from the threshold.
    @Test("long rows are the definition", arguments: longKinds)
    func long(_ kind: String) throws {
        var random = SplitMix64(seed: 69)
        let op = try op()
        let n = 40_000
        let x = longRow(kind, n, &random).map { Double(Float($0)) }
        for k in [17.5, 40, 650, 10_000] {
            for tau in [0.1, 0.01, 1e-3, 30] {
                let parameters = Compute.parameters(
                    op, ["k": .numbers([k]), "tau": .numbers([tau])])
                let finite = x.filter { $0.isFinite }
                var low = finite.min()! / tau - 800
                var high = finite.max()! / tau + 800
                for _ in 0..<80 {
                    let middle = (low + high) / 2
                    let sum = x.reduce(0) { $0 + 1 / (1 + exp(middle - $1 / tau)) }
                    if sum > k { low = middle } else { high = middle }
                }
                let expected = Weights(x, (low + high) / 2, tau, { exp($0) }).own
                for dtype in [DType.float32, .float64] {
                    let y = try Compute.forward(op, [x], dtype: dtype, parameters)[0]
                    let worst = zip(y, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
                    #expect(worst < (dtype == .float32 ? 1e-6 : 1e-9), "\(dtype) k \(k) tau \(tau)")
                    #expect(zip(x, y).allSatisfy { $0.isFinite || $1 == 0 })
                }
            }
        }
    }
}
