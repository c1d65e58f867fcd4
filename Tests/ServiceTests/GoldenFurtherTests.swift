import Fixtures
import Foundation
import Testing

/// The golden cases of the operators beyond the paper, over HTTP. Catches an error of a formula, a
/// name, a shape or a default.
@Suite struct GoldenFurtherTests {
    private typealias Tree = JSONTree

    /// Sends a case to /topk, and to /topk/vjp where it has a cotangent; nil for cases that have to
    /// be refused, once they are.
    private func answers(
        _ golden: FurtherCase, _ client: HTTPClient, x: String, without: [String] = []
    ) throws -> (forward: Tree, vjp: Tree?)? {
        var body = golden.params.members.filter { !without.contains($0.key) }
        body["operator"] = .text(golden.operatorName)
        body["x"] = golden.inputs[x]
        body["residual"] = golden.inputs["residual"]
        body["dtype"] = .text("float64")
        body["format"] = .text("dense")
        let forward = try post("/topk", body, client)
        if golden.expected["error"] != nil {
            #expect(forward.status == 422, "\(golden): \(forward.text)")
            return nil
        }
        #expect(forward.status == 200, "\(golden): \(forward.text)")
        let answer = try JSONDecoder().decode(Tree.self, from: Data(forward.body))
        guard let cotangent = golden.inputs["cotangent"] else { return (answer, nil) }
        body["cotangent"] = cotangent
        let vjp = try post("/topk/vjp", body, client)
        #expect(vjp.status == 200, "\(golden): \(vjp.text)")
        return (answer, try JSONDecoder().decode(Tree.self, from: Data(vjp.body)))
    }

    private func post(
        _ path: String, _ body: [String: Tree], _ client: HTTPClient
    ) throws -> HTTPClient.Response {
        let text = String(decoding: try JSONEncoder().encode(Tree.object(body)), as: UTF8.self)
        return try client.post(path, json: text)
    }

    private func expectNear(
        _ found: Tree?, _ expected: Tree?, _ tolerance: Double, relative: Double = 0,
        _ place: String
    ) {
        let found = found?.numbers ?? []
        let expected = expected?.numbers ?? []
        #expect(found.count == expected.count && !found.isEmpty, "\(place)")
        for (a, b) in zip(found, expected) {
            #expect(abs(a - b) <= tolerance + relative * abs(b), "\(place): \(a) \(b)")
        }
    }

    @Test("soft_topk")
    func softTopK() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        var count = 0
        for golden in FurtherCase.load("soft_topk") {
            guard let (forward, vjp) = try answers(golden, client, x: "scores") else { continue }
            let tau = golden.params["tau"]?.value ?? 0
            expectNear(forward["data"], golden.expected["output"], 1e-12, "\(golden)")
            expectNear(vjp?["data"], golden.expected["vjp"], 1e-11 * (1 + 1 / tau), "\(golden)")
            expectNear(
                forward["threshold"], golden.expected["threshold"], 1e-11 * tau, relative: 1e-15,
                "\(golden)")
            count += 1
        }
        #expect(count == 24)
    }

    @Test("soft_topk_sorted")
    func softTopKSorted() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        for golden in FurtherCase.load("soft_topk_sorted") {
            guard let (forward, vjp) = try answers(golden, client, x: "scores") else { continue }
            let largest = golden.expected["vjp"]?.numbers.map { abs($0) }.max() ?? 0
            expectNear(forward["data"], golden.expected["output"], 1e-12, "\(golden)")
            expectNear(vjp?["data"], golden.expected["vjp"], 1e-10 * largest, "\(golden)")
        }
    }

    @Test("gaussian_k")
    func gaussianK() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        for golden in FurtherCase.load("gaussian_k") {
            guard let (answer, _) = try answers(golden, client, x: "gradient") else { continue }
            var values = [Double](repeating: 0, count: answer["data"]?.numbers.count ?? 0)
            let indices = golden.expected["indices"]?.numbers ?? []
            for (index, value) in zip(indices, golden.expected["values"]?.numbers ?? []) {
                values[Int(index)] = value
            }
            #expect(answer["data"]?.numbers == values, "\(golden)")
            for name in ["residual", "checks", "in_band"] {
                #expect(answer[name] == golden.expected[name], "\(golden) \(name)")
            }
            expectNear(
                answer["threshold"], golden.expected["threshold"], 0, relative: 1e-12, "\(golden)")
        }
    }

    @Test("top_kast: answer, sets, penalty, gradients, and the sets sent back")
    func topKast() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        var count = 0
        for golden in FurtherCase.load("top_kast") where golden.inputs["theta"] != nil {
            guard let (forward, vjp) = try answers(golden, client, x: "theta", without: ["lr"])
            else { continue }
            #expect(forward["forward_mask"] == golden.expected["A"], "\(golden)")
            #expect(forward["backward_mask"] == golden.expected["B"], "\(golden)")
            let gradient = forward["penalty_gradient"]?["data"]
            for (found, name) in [
                (forward["data"], "output"), (forward["penalty"], "reg"), (gradient, "reg_grad"),
                (vjp?["data"], "vjp"),
            ] {
                expectNear(
                    found, golden.expected[name], 1e-300, relative: 1e-14, "\(golden) \(name)")
            }
            var body = golden.params.members.filter {
                !["k_forward", "k_backward", "lr"].contains($0.key)
            }
            body["operator"] = .text("top_kast")
            body["x"] = golden.inputs["theta"]
            body["dtype"] = .text("float64")
            body["format"] = .text("dense")
            body["forward_mask"] = forward["forward_mask"]
            body["backward_mask"] = forward["backward_mask"]
            let again = try post("/topk", body, client)
            #expect(
                try JSONDecoder().decode(Tree.self, from: Data(again.body)) == forward, "\(golden)")
            count += 1
        }
        #expect(count == 14)
    }

    @Test("top_kast: sets by layer, and over all layers")
    func layers() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        for golden in FurtherCase.load("top_kast") where golden.inputs["layers"] != nil {
            let layers = golden.inputs["layers"]?.elements ?? []
            let isGlobal = golden.params["scope"] == .text("global")
            var body = golden.params.members
            body["operator"] = .text("top_kast")
            // Layers of different lengths are one row where they compete.
            let rows = isGlobal ? [Tree.list(layers.flatMap { $0.elements })] : layers
            var found: [[[Double]]] = [[], []]
            for row in rows {
                body["x"] = row
                let answer = try JSONDecoder().decode(
                    Tree.self, from: Data(try post("/topk", body, client).body))
                found[0].append(answer["forward_mask"]?.numbers ?? [-1])
                found[1].append(answer["backward_mask"]?.numbers ?? [-1])
            }
            if isGlobal { found = found.map { split($0[0], layers.map { $0.elements.count }) } }
            for (sets, name) in zip(found, ["A", "B"]) {
                let expected = golden.expected[name]?.elements.map { $0.numbers }
                #expect(sets == expected, "\(golden) \(name)")
            }
        }
    }

    /// Columns of one long row as those of its parts.
    private func split(_ columns: [Double], _ lengths: [Int]) -> [[Double]] {
        var start = 0.0
        return lengths.map { length in
            let end = start + Double(length)
            defer { start = end }
            return columns.filter { $0 >= start && $0 < end }.map { $0 - start }
        }
    }
}
