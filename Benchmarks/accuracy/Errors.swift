import ArgumentParser
import Fixtures
import Operators

/// Worst errors against a reference in 80-bit arithmetic, by solver, operator, p, type and
/// direction. Rows are N(0, 1) and rounded to the type first: only the computation is judged.
struct Errors: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the table of worst errors against 80-bit references.")

    @Option(help: "Rows for each line of the table.")
    var rows = 2000
    @Option(help: "Seed.")
    var seed = UInt64(20_230_203)

    func run() throws {
        print("| solver | operator | p | dtype | forward | vjp | jvp | d lambda |")
        print("|---|---|---|---|---|---|---|---|")
        for solver in ["threshold", "pav", "dykstra"] {
            for op in Names.sparseTopK.compactMap({ Registry.find($0) }) {
                for (name, p) in [("2", 2), ("4/3", 4.0 / 3), ("1.5", 1.5), ("3", 3.0)] {
                    if solver == "dykstra" && p != 2 { continue }
                    for dtype in DType.allCases {
                        let worst = try worst(solver, op, p, dtype)
                        let cells = worst.map { spell($0) }.joined(separator: " | ")
                        print(
                            "| \(solver) | \(op.descriptor.name) | \(name) | \(dtype.rawValue) "
                                + "| \(cells) |")
                    }
                }
            }
        }
    }

    /// One significant digit is enough.
    private func spell(_ value: Double) -> String {
        guard value > 0 else { return "0" }
        var exponent = 0
        var digits = value
        while digits < 1 {
            digits *= 10
            exponent -= 1
        }
        while digits >= 10 {
            digits /= 10
            exponent += 1
        }
        return "\(Double(Int(digits * 10 + 0.5)) / 10)e\(exponent)"
    }

    /// forward, vjp, jvp, lambda's gradient: relative to the largest number of the reference row,
    /// at least 1.
    private func worst(
        _ solver: String, _ op: any Operator, _ p: Double, _ dtype: DType
    ) throws -> [Double] {
        var random = SplitMix64(seed: seed)
        var worst = [0.0, 0, 0, 0]
        var count = 0
        while count < rows {
            let n = Int.random(in: 2...20, using: &random)
            let k = Int.random(in: 1..<n, using: &random)
            let lambda = [0.1, 0.5, 2].randomElement(using: &random)!
            func rounded(_ values: [Double]) -> [Double] {
                Compute.rounded(values, dtype)
            }
            let x = rounded(random.normals(n))
            let c = rounded(random.normals(n))
            let name = op.descriptor.name
            let reference = ReferenceJacobian(name, x, k: k, lambda: lambda, p: p)
            // Next to 0 the derivative of p > 2 has no bound, and on a kink (16-bit numbers meet
            // them often) there is more than one: nothing to compare with.
            if reference.isOnKink || (p > 2 && reference.clearance < 1e-3) { continue }
            count += 1
            var more: [String: ParameterValue] = ["solver": .word(solver)]
            if solver == "dykstra" {
                more["max_iterations"] = .integers([100_000])
                more["tolerance"] = .numbers([0])
            }
            let parameters = Compute.parameters(op, k: [k], lambda: [lambda], p: p, more)
            let y = try Compute.forward(op, [x], dtype: dtype, parameters)[0]
            more["wrt"] = .words(["x", "lambda"])
            let both = Compute.parameters(op, k: [k], lambda: [lambda], p: p, more)
            let vjp = try Compute.run(op, .vjp, [x], stack: [[c]], dtype: dtype, both)
            let jvp = try Compute.run(op, .jvp, [x], stack: [[c]], dtype: dtype, parameters)
            let pairs: [([Double], [Double])] = [
                (y, Reference.forward(name, x, k: k, lambda: lambda, p: p)),
                (Compute.dense(vjp.answer)[0], reference.vjp(c)),
                (Compute.dense(jvp.answer)[0], reference.jvp(c)),
                (Compute.numbers(vjp, "lambda_gradient"), [reference.lambdaGradient(c)]),
            ]
            for (index, (found, expected)) in pairs.enumerated() {
                let scale = max(1, expected.map { abs($0) }.max()!)
                let error = zip(found, expected).map { abs($0 - $1) / scale }.max()!
                worst[index] = max(worst[index], error)
            }
        }
        return worst
    }
}
