import Fixtures
import Foundation
import Testing

/// Catches metrics that Prometheus does not take, or that do not count what happened. Needs
/// Debian's prometheus package, which script/test installs.
@Suite struct MetricsPageTests {
    private func sample(_ text: String, _ name: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { Double($0.split(separator: " ").last ?? "") }
    }

    @Test("what happened is what is counted")
    func counts() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        _ = try client.post("/topk", json: #"{"x": [[3, 1, 2], [1, 2, 3]], "k": 2, "lambda": 0}"#)
        _ = try client.post(
            "/topk/vjp", json: #"{"x": [1, 1], "k": 1, "p": 2, "cotangent": [1, 0]}"#)
        _ = try client.post("/topk", json: "{")
        _ = try client.request("GET", "/nothing?k=1")
        _ = try client.request("BREW", "/topk")
        let text = try client.request("GET", "/metrics").text
        let expected: [(String, Double)] = [
            (#"topkd_http_requests_total{route="/topk",method="POST",code="200"}"#, 1),
            (#"topkd_http_requests_total{route="/topk",method="POST",code="400"}"#, 1),
            (#"topkd_http_requests_total{route="/topk/vjp",method="POST",code="200"}"#, 1),
            (#"topkd_http_requests_total{route="/topk",method="other",code="405"}"#, 1),
            (#"topkd_http_requests_total{route="other",method="GET",code="404"}"#, 1),
            (#"topkd_codec_requests_total{codec="json"}"#, 3),
            (#"topkd_rejected_total{reason="invalid_json"}"#, 1),
            ("topkd_rows_total", 3), ("topkd_elements_total", 8),
            (#"topkd_nonzeros_total{operator="mask",direction="forward"}"#, 4),
            (#"topkd_nonzeros_total{operator="mask",direction="vjp"}"#, 2),
            (
                #"topkd_stage_duration_seconds_count"#
                    + #"{stage="total",operator="mask",direction="forward"}"#,
                1
            ),
            ("topkd_connections_open", 1), ("topkd_inflight_requests", 0), ("topkd_draining", 0),
            ("topkd_queue_capacity", 256),
        ]
        for (name, value) in expected { #expect(sample(text, name) == value, "\(name)") }
        #expect(sample(text, "process_open_fds") ?? 0 > 3)
        #expect(sample(text, "process_resident_memory_bytes") ?? 0 > 1e6)
        let series = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.count
        #expect(series < 3000, "\(series) series")
    }

    @Test("promtool check metrics is clean")
    func promtool() throws {
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        _ = try client.post("/topk", json: #"{"x": [3, 1, 2], "k": 2}"#)
        let page = try client.request("GET", "/metrics")
        #expect(page.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        let run = try Command("promtool", ["check", "metrics"], input: page.body)
        #expect(run.status == 0 && run.output.isEmpty, "promtool: \(run.output)")
    }

    @Test("a real Prometheus scrapes us")
    func prometheus() throws {
        let service = try LiveService()
        defer { service.stop() }
        _ = try service.client().post("/topk", json: #"{"x": [3, 1, 2], "k": 2}"#)
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("topkd-prometheus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let configuration = """
            scrape_configs:
              - job_name: topkd
                scrape_interval: 1s
                static_configs: [{targets: ["127.0.0.1:\(service.port)"]}]
            """
        let file = folder.appendingPathComponent("prometheus.yml")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        let port = Int.random(in: 20_000..<30_000)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "prometheus", "--config.file=\(file.path)", "--storage.tsdb.path=\(folder.path)/data",
            "--web.listen-address=127.0.0.1:\(port)", "--log.level=error",
        ]
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        var answer = ""
        for _ in 0..<150 {
            usleep(200_000)
            guard let client = try? HTTPClient(port: port),
                let response = try? client.request("GET", "/api/v1/query?query=topkd_rows_total")
            else { continue }
            answer = response.text
            if answer.contains("\"__name__\":\"topkd_rows_total\"") { break }
        }
        #expect(answer.contains("\"__name__\":\"topkd_rows_total\""), "Prometheus says: \(answer)")
        #expect(answer.contains("\"1\"]"), "one row was computed: \(answer)")
    }
}
