import Fixtures
import Testing

@testable import Operators

/// Up to 16 short rows are solved, emitted and multiplied together: nothing of that may show.
@Suite struct ShortRowsTests {
    private static let p = [2.0, 4.0 / 3, 3]

    /// Rows that go every way: soft, hard, tied, of an unusual scale, with few finite entries.
    private func row(_ n: Int, _ kind: Int, _ random: inout SplitMix64) -> [Double] {
        var x = random.normals(n)
        switch kind % 7 {
        case 1: x = x.map { $0 * 100 }
        case 2: x = x.map { ($0 * 2).rounded() }
        case 3: x = x.map { _ in 1.5 }
        case 4: x = x.map { $0 * 0x1p-60 }
        case 5: x = x.map { $0 * 0x1p60 }
        case 6: x[0] = 0
        default: break
        }
        return x
    }

    private func cotangent(_ n: Int, _ kind: Int, _ random: inout SplitMix64) -> [Double] {
        // Zeros make gradients that are not stored.
        random.normals(n).enumerated().map { i, c in
            kind % 3 == 0 && i % 2 == 0 ? 0 : kind % 5 == 4 ? c * 0x1p100 : c
        }
    }

    // Catches: entries, segments, positions, gradients or zeros that land in a neighbour's row.
    @Test("what is computed together is what each row is alone", arguments: Names.paper, p)
    func together(_ name: String, _ p: Double) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 41)
        for (n, rows) in [(2, 5), (9, 16), (17, 37), (64, 33), (70, 20), (130, 18), (512, 3)] {
            let x = (0..<rows).map { row(n, $0, &random) }
            let k = (0..<rows).map { min(n, 1 + $0 % 9) }
            let lambda = (0..<rows).map { [0.1, 3, 0, 1e-3, 1e-20][$0 % 5] }
            let stack = (0..<2).map { g in (0..<rows).map { cotangent(n, $0 + g, &random) } }
            for direction in Direction.allCases {
                for (dtype, g) in [(DType.float32, 1), (.float64, 1), (.float16, 2)] {
                    func run(_ rows: Range<Int>) throws -> OperatorOutput {
                        try Compute.run(
                            op, direction, Array(x[rows]),
                            stack: direction == .forward
                                ? [] : stack.prefix(g).map { Array($0[rows]) }, dtype: dtype,
                            Compute.parameters(
                                op, k: Array(k[rows]), lambda: Array(lambda[rows]), p: p,
                                direction == .forward
                                    ? ["linearization": .boolean(true)]
                                    : direction == .vjp ? ["wrt": .words(["x", "lambda"])] : [:]))
                    }
                    let all = try run(0..<rows)
                    let alone = try (0..<rows).map { try run($0..<$0 + 1) }
                    let place = "\(name) \(direction) \(dtype) n \(n) p \(p)"
                    #expect(
                        Compute.dense(all.answer) == alone.flatMap { Compute.dense($0.answer) },
                        "\(place)")
                    for output in ["a", "b", "d", "lambda_gradient"] {
                        guard let together = all[output] else { continue }
                        let single = try alone.map { try #require($0[output]) }
                        #expect(
                            Compute.dense(together, keepsZeros: true)
                                == single.flatMap { Compute.dense($0, keepsZeros: true) },
                            "\(place) \(output)")
                    }
                }
            }
        }
    }

    // Catches: emission that reads beyond the last row, or tops that take the neighbour's numbers.
    @Test("a row's neighbours are not read", arguments: Names.paper)
    func neighbours(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 42)
        for n in [5, 18, 63, 65] {
            let own = random.normals(n)
            let parameters = Compute.parameters(op, k: [2], lambda: [0.5], p: 2)
            let alone = try Compute.forward(op, [own], dtype: .float32, parameters)[0]
            let louder = [Double](repeating: 1e6, count: n)
            for place in 0..<4 {
                var x = Array(repeating: louder, count: 4)
                x[place] = own
                let answer = try Compute.forward(op, x, dtype: .float32, parameters)
                #expect(answer[place] == alone, "\(name) n \(n) row \(place)")
            }
        }
    }

    // Catches: a way through the candidates that a row's neighbours choose. The three largest lie
    // in one of eight parts of the row: their bound is low, and too many reach it.
    @Test("a neighbour's k changes nothing", arguments: Names.paper, p)
    func neighbourK(_ name: String, _ p: Double) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 43)
        for _ in 0..<40 {
            var x = random.normals(128).map { 2 + 0.01 * $0 }
            for column in [0, 8, 16, 24] { x[column] = 4 + 0.05 * random.normals(1)[0] }
            func run(_ rows: [[Double]], _ k: [Int]) throws -> [Double] {
                try Compute.forward(
                    op, rows, dtype: .float64, Compute.parameters(op, k: k, lambda: [0.3], p: p))[0]
            }
            #expect(try run([x], [2]) == run([x, random.normals(128)], [2, 8]))
        }
    }
}
