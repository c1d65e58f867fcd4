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
    @Test("what is computed together is what each row is alone", arguments: Names.sparseTopK, p)
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

    // Catches: products of many rows at once that are not those of a row: a sign, a level, a share
    // or an entry of a hard row that differs. Several cotangents a row go the other way.
    @Test("one cotangent a row gives what each of two does", arguments: Names.sparseTopK, p)
    func cotangents(_ name: String, _ p: Double) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 44)
        for (n, rows) in [(2, 5), (17, 37), (64, 33), (130, 18)] {
            let x = (0..<rows).map { row(n, $0, &random) }
            let c = (0..<rows).map { cotangent(n, $0, &random) }
            for isLargest in name == "magnitude" ? [nil] : [true, false] {
                func run(_ dtype: DType, _ g: Int) throws -> OperatorOutput {
                    try Compute.run(
                        op, .vjp, x, stack: Array(repeating: c, count: g), dtype: dtype,
                        Compute.parameters(
                            op, k: (0..<rows).map { min(n, 1 + $0 % 9) },
                            lambda: (0..<rows).map { [0.1, 3, 0, 1e-3, 1e-20][$0 % 5] }, p: p,
                            ["wrt": .words(["x", "lambda"])].merging(
                                isLargest.map { ["largest": .boolean($0)] } ?? [:]
                            ) { $1 }))
                }
                for dtype in [DType.float32, .float16, .bfloat16] {
                    let (one, two) = (try run(dtype, 1), try run(dtype, 2))
                    let place = "\(name) \(dtype) n \(n) p \(p)"
                    let gradients = Compute.dense(one.answer)
                    let others = Compute.dense(two.answer)
                    let lambdas = Compute.dense(
                        try #require(one["lambda_gradient"]), keepsZeros: true)
                    let otherLambdas = Compute.dense(
                        try #require(two["lambda_gradient"]), keepsZeros: true)
                    let ulp = dtype == .float32 ? 0x1p-23 : dtype == .float16 ? 0x1p-10 : 0x1p-7
                    for r in 0..<rows {
                        // Of the row's largest: what cancels has the digits of what it is made of.
                        let scale = max(others[2 * r].map { abs($0) }.max() ?? 0, 1e-30)
                        for (g, other) in zip(gradients[r], others[2 * r]) {
                            #expect(
                                abs(g - other) <= ulp * max(abs(other), 0x1p-20 * scale), "\(place)"
                            )
                        }
                        let (own, other) = (lambdas[r][0], otherLambdas[2 * r][0])
                        #expect(abs(own - other) <= 1e-9 * max(abs(other), scale), "\(place)")
                    }
                }
            }
        }
    }

    // Catches: numbers that are not checked where they are computed, -inf that is counted among the
    // candidates, an error of a later row. A k for each row goes the other way, checked ahead.
    @Test("what is checked along is what is checked ahead", arguments: Names.sparseTopK)
    func checks(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 45)
        let (n, rows) = (20, 50)
        for kind in 0..<60 {
            var x = (0..<rows).map { _ in random.normals(n) }
            var c = (0..<rows).map { _ in random.normals(n) }
            let bad = [Double.nan, .infinity, -.infinity]
            for place in 0..<kind % 3 {
                let row = Int(random.next() % UInt64(rows))
                let column = Int(random.next() % UInt64(n))
                if (kind + place) % 2 == 0 {
                    x[row][column] = bad[kind / 6 % 3]
                } else {
                    c[row][column] = bad[kind / 6 % 3]
                }
            }
            if kind % 7 == 0 { x[40] = x[40].map { _ in -.infinity } }
            for direction in Direction.allCases {
                func run(_ k: [Int]) -> Result<[[Double]], OperatorError> {
                    do throws(OperatorError) {
                        let output = try Compute.run(
                            op, direction, x, stack: direction == .forward ? [] : [c],
                            dtype: .float32, Compute.parameters(op, k: k, p: 2))
                        return .success(Compute.dense(output.answer))
                    } catch {
                        return .failure(error)
                    }
                }
                let ahead = run([Int](repeating: 2, count: rows))
                #expect(run([2]) == ahead, "\(name) \(direction) \(kind)")
            }
        }
    }

    // Catches: emission that reads beyond the last row, or tops that take the neighbour's numbers.
    @Test("a row's neighbours are not read", arguments: Names.sparseTopK)
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
    @Test("a neighbour's k changes nothing", arguments: Names.sparseTopK, p)
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
