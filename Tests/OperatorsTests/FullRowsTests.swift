import Fixtures
import Testing

@testable import Operators

/// Answers in which every number is given: soft_topk's, whose columns are stored only when someone
/// asks for them.
@Suite struct FullRowsTests {
    private func append(_ values: [Float], to rows: SparseRows, _ scratch: inout Scratch<Double>) {
        rows.appendFull(Float.self, &scratch) { numbers in
            for (i, value) in values.enumerated() { numbers[i] = value }
            return values.allSatisfy { $0 != 0 }
        }
    }

    // Catches: columns that are not made up for when a row with a zero follows full ones, numbers
    // that the next row's room overwrites, a column array that is read before it has grown.
    @Test("full rows imply their columns until a zero comes", arguments: [DType.float32, .float16])
    func implied(_ dtype: DType) {
        let n = 1000
        let rows = SparseRows()
        var scratch = Scratch<Double>()
        for zeroRow in [nil, 0, 1, 3] as [Int?] {
            rows.reset(dtype: dtype, rowLength: n, rowCapacity: 4)
            var expected: [[Double]] = []
            for row in 0..<4 {
                var values = (0..<n).map { Float(($0 + row) % 31 + 1) }
                if row == zeroRow { for i in [0, 17, n - 1] { values[i] = 0 } }
                append(values, to: rows, &scratch)
                expected.append(values.map { Double($0) })
            }
            #expect(rows.impliesColumns == (zeroRow == nil && dtype == .float32))
            #expect(rows.count == 4 * n - (zeroRow == nil ? 0 : 3))
            #expect(Compute.dense(rows) == expected, "\(dtype) zeros in \(zeroRow ?? -1)")
            #expect(!rows.hasNonFinite)
        }
    }

    // Catches: numbers that are computed where they stay, and never looked at.
    @Test("what is no number is found")
    func nonFinite() {
        let rows = SparseRows()
        var scratch = Scratch<Double>()
        rows.reset(dtype: .float32, rowLength: 40, rowCapacity: 1)
        rows.appendFull(Float.self, &scratch) { numbers in
            for i in 0..<40 { numbers[i] = i == 33 ? .nan : 1 }
            return false
        }
        #expect(rows.hasNonFinite)
    }

    // Catches: a threshold or count of 0 that is dropped, one that overwrites another, an infinite
    // one that nobody sees, and columns that are not there when someone asks for them.
    @Test(
        "outputs of one number a row keep each of them",
        arguments: [DType.float64, .float32, .float16])
    func single(_ dtype: DType) {
        let rows = SparseRows()
        rows.reset(dtype: dtype, rowLength: 1, rowCapacity: 2)
        let numbers = (0..<300).map { Double($0 % 7) - 3 }
        for number in numbers { rows.append(number: number) }
        #expect(rows.count == 300 && rows.rowCount == 300)
        #expect(Compute.dense(rows, isFull: true) == numbers.map { [$0] })
        #expect(rows.indices.allSatisfy { $0 == 0 } && rows.indices.count == 300)
        #expect(!rows.hasNonFinite)
        rows.append(number: 5)
        #expect(Compute.dense(rows, isFull: true).last == [5], "after its columns were asked for")
        rows.reset(dtype: dtype, rowLength: 1, rowCapacity: 2)
        #expect(!rows.hasNonFinite)
        rows.append(number: .nan)
        #expect(rows.hasNonFinite)
    }

    // Catches: ranks of a neighbour's row, a cotangent that is loaded over the rows behind it, what
    // was made of another row's tau, and another answer where short rows find their ranks the long
    // way.
    @Test("soft_topk of some rows is that of each alone", arguments: ["largest", "smallest"])
    func together(_ mode: String) throws {
        let op = try #require(Registry.find("soft_topk"))
        var random = SplitMix64(seed: 67)
        for (n, count) in [(3, 5), (17, 33), (64, 40), (130, 20), (700, 3)] {
            var x = (0..<count).map { _ in random.normals(n) }
            for row in stride(from: 0, to: count, by: 4) { x[row][row % n] = -.infinity }
            let c = (0..<2).map { _ in (0..<count).map { _ in random.normals(n) } }
            let tau = (0..<count).map { [0.1, 0.1, 1, 0.01, 30, 1e-6][$0 % 6] }
            for most in [1.0, 12, 30] {
                let k = (0..<count).map { row in
                    min(Double(n - 1), [most, most - 0.75, 0, 0.5, Double(n) - 1][row % 5])
                }
                func run(
                    _ direction: Direction, _ dtype: DType, _ rows: Range<Int>
                ) throws -> [[Double]] {
                    let output = try Compute.run(
                        op, direction, Array(x[rows]),
                        stack: direction == .forward ? [] : c.map { Array($0[rows]) },
                        dtype: dtype,
                        Compute.parameters(
                            op,
                            [
                                "k": .numbers(Array(k[rows])), "tau": .numbers(Array(tau[rows])),
                                "mode": .word(mode),
                            ]))
                    return Compute.dense(output.answer)
                }
                for direction in [Direction.forward, .vjp] {
                    for dtype in [DType.float32, .float64, .float16] {
                        let all = try run(direction, dtype, 0..<count)
                        let alone = try (0..<count).flatMap {
                            try run(direction, dtype, $0..<$0 + 1)
                        }
                        #expect(all == alone, "\(direction) \(dtype) n \(n) k <= \(most)")
                    }
                }
            }
        }
    }
}
