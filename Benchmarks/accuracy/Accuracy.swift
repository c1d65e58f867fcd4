import ArgumentParser
import Fixtures
import Operators

/// How exact the operators are: a fuzzer, and the table of worst errors.
@main
struct Accuracy: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "How exact topkd's operators are.", subcommands: [Fuzz.self, Errors.self])
}

/// One random row with its parameters.
struct Sample {
    let kind: Int
    let k: Int
    let lambda: Double
    let p: Double
    let x: [Double]

    static func make(_ random: inout SplitMix64, kinds: Int) -> Sample {
        let kind = Int.random(in: 0..<kinds, using: &random)
        let n = Int.random(in: 1...100, using: &random)
        return Sample(
            kind: kind, k: Int.random(in: 1...n, using: &random),
            lambda: [1e-12, 1e-6, 0.01, 0.1, 1, 10, 1000, 1e6].randomElement(using: &random)!,
            p: [2, 4.0 / 3, 1.5, 3, 1.05, 16, Double.random(in: 1.05...16, using: &random)]
                .randomElement(using: &random)!,
            x: HostileRow.make(kind, n, &random))
    }
}

/// threshold against pav in float64: the answers of two solvers that share nothing but the loading
/// of rows.
struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares solvers threshold and pav on random and hostile rows.")

    @Option(help: "Rows for each operator.")
    var rows = 100_000
    @Option(help: "Seed; printed, to repeat a run.")
    var seed = UInt64.random(in: 0 ... .max)
    @Option(help: "Differences above this, of the row's scale, are printed and fail the run.")
    var tolerance = 1e-11

    func run() throws {
        print("seed \(seed), \(rows) rows an operator")
        var failures = 0
        for op in Names.sparseTopK.compactMap({ Registry.find($0) }) {
            var random = SplitMix64(seed: seed)
            let name = op.descriptor.name
            var worst = 0.0
            for _ in 0..<rows {
                let sample = Sample.make(&random, kinds: HostileRow.kindCount)
                let threshold = try forward(op, sample, "threshold")
                let pav = try forward(op, sample, "pav")
                let error = difference(op, sample, threshold, pav)
                worst = max(worst, error)
                if !(error <= tolerance) {
                    failures += 1
                    if failures > 20 { continue }
                    // Which of them is wrong.
                    let truth = Reference.forward(
                        name, sample.x, k: sample.k, lambda: sample.lambda, p: sample.p)
                    print(
                        "\(name) \(error): threshold is off by",
                        difference(op, sample, threshold, truth), "pav by",
                        difference(op, sample, pav, truth), sample)
                }
            }
            print("\(name): worst difference \(worst)")
        }
        if failures > 0 {
            print("\(failures) rows differ")
            throw ExitCode.failure
        }
    }

    private func forward(
        _ op: any Operator, _ sample: Sample, _ solver: String
    ) throws -> [Double] {
        let parameters = Compute.parameters(
            op, k: [sample.k], lambda: [sample.lambda], p: sample.p, ["solver": .word(solver)])
        return try Compute.forward(op, [sample.x], parameters)[0]
    }

    /// The largest, relative to the row's scale.
    private func difference(
        _ op: any Operator, _ sample: Sample, _ y: [Double], _ other: [Double]
    ) -> Double {
        let scale =
            op.descriptor.name == "mask"
            ? 1 : max(.leastNormalMagnitude, sample.x.map { abs($0) }.max()!)
        return zip(y, other).map { abs($0 - $1) / scale }.max()!
    }
}
