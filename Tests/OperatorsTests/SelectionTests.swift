import Fixtures
import Testing

@testable import Operators

/// Catches numbers that are left out or taken twice where words of 64, lines of 16, blocks of
/// groups or a row end, where words are full or empty, and where more are noted than there is room
/// for; and -inf, whose magnitude would be above every bound.
@Suite(.serialized) struct SelectionTests {
    private static let lengths = [
        1, 15, 16, 17, 63, 64, 65, 79, 80, 128, 200, 1000, 4095, 4096, 4097, 4160, 9000,
    ]
    /// Of a hundred numbers, how many reach the bound.
    private static let densities = [0, 1, 3, 12, 20, 50, 99, 100]

    @Test("collected is what reaches the bound, in order", arguments: lengths)
    func collect(_ n: Int) {
        defer { InstructionSet.pin(.best) }
        var random = SplitMix64(seed: UInt64(n))
        for density in Self.densities {
            for isAbsolute in [false, true] {
                for set in InstructionSet.allCases where set <= .best {
                    InstructionSet.pin(set)
                    check(n, density, isAbsolute, Float.self, &random)
                    check(n, density, isAbsolute, Double.self, &random)
                }
            }
        }
    }

    private func check<S: KernelScalar>(
        _ n: Int, _ density: Int, _ isAbsolute: Bool, _ type: S.Type, _ random: inout SplitMix64
    ) {
        let bound: S = 2
        let hasInfinity = Bool.random(using: &random)
        let x: [S] = (0..<n).map { _ in
            let draw = Int.random(in: 0..<100, using: &random)
            if draw == 0 && hasInfinity { return -.infinity }
            let sign: S = isAbsolute && Bool.random(using: &random) ? -1 : 1
            return sign * (draw < density ? 2 + S(draw) : 1)
        }
        let expected = x.indices.filter {
            x[$0] > -.infinity && (isAbsolute ? abs(x[$0]) : x[$0]) >= bound
        }
        var scores = [Double](repeating: 0, count: n + 16)
        var columns = [Int32](repeating: 0, count: n + 16)
        let what = "n \(n), \(density) %, \(isAbsolute ? "magnitude" : "score"), \(S.self)"
        func expect(_ count: Int, _ name: String) {
            #expect(columns[..<count].map { Int($0) } == expected, "\(name): \(what)")
            let found = expected.map { Double(isAbsolute ? abs(x[$0]) : x[$0]) }
            #expect(Array(scores[..<count]) == found, "\(name): \(what)")
        }
        expect(
            S.collect(x, count: n, bound: bound, isAbsolute: isAbsolute, &scores, &columns),
            "collect")
        guard !x.contains(-.infinity) else { return }
        for height in [1, 3, 16] {
            var maxima = [S](
                repeating: 0, count: Selection.groupCount(rowLength: n, height: height))
            let groups = S.groupMaxima(x, count: n, height: height, isAbsolute: isAbsolute, &maxima)
            #expect(groups == maxima.count)
            expect(
                S.gather(
                    x, count: n, height: height, maxima, bound: bound, isAbsolute: isAbsolute,
                    &scores, &columns), "gather by \(height)")
        }
    }
}
