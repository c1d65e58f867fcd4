import Fixtures
import Operators
import Testing

/// Each input on which the paper's published code is known to be wrong, with what is right.
/// docs/MATH.md lists them.
@Suite struct PublishedFaultTests {
    private func op(_ name: String) throws -> any Operator { try #require(Registry.find(name)) }

    @Test("magnitude's gradient is a number for every p: theirs is NaN on most rows, p = 4/3 first")
    func magnitudeGradient() throws {
        let op = try op("magnitude")
        var random = SplitMix64(seed: 41)
        for p in [4.0 / 3, 1.5, 3] {
            for dtype in [DType.float32, .float64] {
                for _ in 0..<200 {
                    let x = Compute.rounded(random.normals(20), dtype)
                    let c = Compute.rounded(random.normals(20), dtype)
                    let parameters = Compute.parameters(op, k: [5], lambda: [0.5], p: p)
                    let g = try Compute.vjp(op, [x], [[c]], dtype: dtype, parameters)[0][0]
                    let reference = ReferenceJacobian("magnitude", x, k: 5, lambda: 0.5, p: p)
                    if reference.clearance < 1e-3 { continue }
                    let expected = reference.vjp(c)
                    let size = max(1, expected.map { abs($0) }.max()!)
                    let error = zip(g, expected).map { abs($0 - $1) }.max()! / size
                    #expect(error < (dtype == .float32 ? 1e-6 : 1e-10), "\(p) \(x)")
                }
            }
        }
    }

    @Test("ties outside the block have no gradient: theirs is [0, -10, 0, 10, 0]")
    func tiesOutside() throws {
        let op = try op("mask")
        for solver in ["threshold", "pav", "dykstra"] {
            let parameters = Compute.parameters(
                op, k: [1], lambda: [0.1], p: 2, ["solver": .word(solver)])
            for dtype in [DType.float32, .float64] {
                let g = try Compute.vjp(
                    op, [[5, 0, 0, 0, -1]], [[[1, 2, 3, 4, 5]]], dtype: dtype, parameters)
                #expect(g[0][0] == [0, 0, 0, 0, 0], "\(solver)")
            }
        }
    }

    @Test("p = 4/3 around 1000: theirs is off by 7e-4", arguments: ["threshold", "pav"])
    func cubicAroundThousand(_ solver: String) throws {
        let op = try op("mask")
        var random = SplitMix64(seed: 42)
        for _ in 0..<300 {
            let x = Compute.rounded(random.normals(12).map { 1000 + $0 }, .float32)
            let parameters = Compute.parameters(
                op, k: [4], lambda: [0.5], ["solver": .word(solver)])
            let y = try Compute.forward(op, [x], dtype: .float32, parameters)[0]
            let expected = Reference.forward("mask", x, k: 4, lambda: 0.5, p: 4.0 / 3)
            #expect(zip(y, expected).allSatisfy { abs($0 - $1) < 1e-7 })
        }
    }

    @Test("[3e6, 2e6, 1e6, 0] at p = 4/3: theirs is wrong for mask and raises for magnitude")
    func cubicOfMillions() throws {
        let x = [3e6, 2e6, 1e6, 0]
        for solver in ["threshold", "pav"] {
            for (name, expected) in [("mask", [1.0, 1, 0, 0]), ("magnitude", [3e6, 2e6, 0, 0])] {
                let op = try op(name)
                let parameters = Compute.parameters(op, k: [2], ["solver": .word(solver)])
                let y = try Compute.forward(op, [x], dtype: .float32, parameters)[0]
                #expect(y == expected, "\(solver) \(name)")
            }
        }
    }

    @Test(
        "p = 3 magnitude on N(0, 1): theirs is off by up to 0.28", arguments: ["threshold", "pav"])
    func magnitudeCube(_ solver: String) throws {
        let op = try op("magnitude")
        var random = SplitMix64(seed: 43)
        for _ in 0..<500 {
            let x = Compute.rounded(random.normals(10), .float32)
            let parameters = Compute.parameters(
                op, k: [3], lambda: [1], p: 3, ["solver": .word(solver)])
            let y = try Compute.forward(op, [x], dtype: .float32, parameters)[0]
            let expected = Reference.forward("magnitude", x, k: 3, lambda: 1, p: 3)
            #expect(zip(y, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(x)")
        }
    }

    @Test(
        "an infinity says what it means: theirs makes the whole row NaN",
        arguments: Names.sparseTopK)
    func infinity(_ name: String) throws {
        let op = try op(name)
        let parameters = Compute.parameters(op, k: [2])
        let y = try Compute.forward(op, [[1, -.infinity, 3]], parameters)[0]
        #expect(y == (name == "mask" ? [1, 0, 1] : [1, 0, 3]))
    }

    @Test("dykstra at 500 iterations and a large lambda: theirs is off by up to 1.1, in silence")
    func dykstraSilence() throws {
        let op = try op("magnitude")
        var random = SplitMix64(seed: 44)
        var rows = 0
        for _ in 0..<50 {
            let x = random.normals(300)
            let parameters = Compute.parameters(
                op, k: [100], lambda: [100], p: 2,
                ["solver": .word("dykstra"), "max_iterations": .integers([500])])
            let output = try Compute.run(op, .forward, [x], parameters)
            let truth = try Compute.forward(
                op, [x], Compute.parameters(op, k: [100], lambda: [100], p: 2))[0]
            let error = zip(Compute.dense(output.answer)[0], truth).map { abs($0 - $1) }.max()!
            if error < 1e-3 { continue }
            rows += 1
            #expect(Compute.numbers(output, "converged") == [0], "off by \(error), and silent")
        }
        #expect(rows > 25, "rows that 500 iterations are too few for")
    }

    @Test("65,536 entries: theirs builds matrices of n^2, 17 GB a row")
    func longRow() throws {
        let op = try op("mask")
        var random = SplitMix64(seed: 45)
        let x = random.normals(65_536)
        for solver in ["threshold", "pav"] {
            let parameters = Compute.parameters(
                op, k: [1000], lambda: [0.1], p: 2, ["solver": .word(solver)])
            let y = try Compute.forward(op, [x], parameters)[0]
            #expect(abs(y.reduce(0, +) - 1000) < 1e-9)
        }
    }

    @Test("p = 4/3 is not C1 where y reaches 1, as their README has it: slopes 0 and 1.67")
    func kink() throws {
        let op = try op("mask")
        let s = 0.7937005259840998  // 0.5^(1/3)
        let parameters = Compute.parameters(op, k: [2], lambda: [1])
        func slope(_ step: Double) throws -> Double {
            let h = 1e-6 * step
            let here = try Compute.forward(op, [[1, s, s, -5]], parameters)[0][0]
            let there = try Compute.forward(op, [[1 + h, s, s, -5]], parameters)[0][0]
            return (there - here) / h
        }
        #expect(abs(try slope(1)) < 1e-6)
        #expect(abs(try slope(-1) - 1.67) < 0.005)
    }
}
