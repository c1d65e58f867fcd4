import Fixtures
import Foundation
import Testing

/// Catches a limit that does not hold, or that answers late or without Retry-After: each is
/// crossed.
@Suite struct OverloadTests {
    @Test("a full queue is a 503 with Retry-After at once; accepted requests are all answered")
    func fullQueue() throws {
        let service = try LiveService {
            $0.limits.workers = 1
            $0.limits.queueDepthMax = 2
        }
        defer { service.stop() }
        let clients = try (0..<12).map { _ in try service.client() }
        for client in clients { client.sendSlowRequest() }
        var answered = 0
        for client in clients {
            let response = try client.readResponse()
            if response.status == 200 {
                answered += 1
            } else {
                try BadInputTests.check(response, 503, "overloaded", nil)
                #expect(response.header("Retry-After") == "1")
            }
        }
        #expect(answered >= 2 && answered < 12, "\(answered) of 12 answered")
        let metrics = try clients[0].request("GET", "/metrics").text
        #expect(metrics.contains("topkd_rejected_total{reason=\"overloaded\"} \(12 - answered)\n"))
    }

    @Test("a small request that takes long is nobody else's delay", .timeLimit(.minutes(1)))
    func longSmallRequest() throws {
        let service = try LiveService {
            $0.limits.workers = 2
            $0.limits.ioThreads = 1
        }
        defer { service.stop() }
        let slow = try service.client(timeoutSeconds: 60)
        // 4 KB and about a second of work: computed where it arrived, it would stop everyone.
        slow.send(
            "POST /topk?n=2048&k=1024&p=2&lambda=10&dtype=float16&solver=dykstra&tolerance=0"
                + "&max_iterations=8000 HTTP/1.1\r\nHost: t\r\nContent-Length: 4096\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n")
        slow.send([UInt8](repeating: 0, count: 4096))
        let observer = try service.client()
        var busy = false
        for _ in 0..<200 where !busy {
            busy = try observer.request("GET", "/metrics").text.contains("topkd_workers_busy 1.0")
        }
        #expect(busy, "a worker has it")
        let started = Date()
        #expect(try observer.request("GET", "/livez").status == 200)
        #expect(Date().timeIntervalSince(started) < 0.5)
        #expect(try slow.readResponse().status == 200)
        let metrics = try observer.request("GET", "/metrics").text
        #expect(metrics.contains("topkd_codec_requests_total{codec=\"octet-stream\"} 1\n"))
    }

    @Test("bodies beyond the byte budget are a 503, and the budget comes back")
    func byteBudget() throws {
        let service = try LiveService {
            $0.limits.inflightBytesMax = 1 << 20
            $0.limits.bodyBytesMax = 1 << 20
        }
        defer { service.stop() }
        let holder = try service.holdMemory(byteCount: 1_000_000)
        let other = try service.client()
        let headers = [("Content-Type", "application/octet-stream")]
        let body = [UInt8](repeating: 0, count: 400_000)
        let refused = try other.request(
            "POST", "/topk?n=1000&k=1&lambda=0", headers: headers, body: body)
        try BadInputTests.check(refused, 503, "overloaded", nil)
        #expect(refused.header("Retry-After") == "1")
        holder.send([UInt8](repeating: 0, count: 1_000_000))
        #expect(try holder.readResponse().status == 200)
        // A client that has its answer has given its memory back, also a hundred times in a row.
        for i in 0..<100 {
            let accepted = try holder.request(
                "POST", "/topk?n=1000&k=1&lambda=0", headers: headers,
                body: [UInt8](repeating: 0, count: 1_000_000))
            #expect(accepted.status == 200, "request \(i) \(accepted.text)")
        }
    }

    // What is found while a body arrives needs memory, too: it was held until the answer was sent,
    // and where -inf had made it useless.
    @Test("an answer that just fits beside its body is answered", arguments: [false, true])
    func tightAnswer(_ hasInfinity: Bool) throws {
        let service = try LiveService {
            $0.limits.inflightBytesMax = 2 << 20
            $0.limits.bodyBytesMax = 1 << 20
        }
        defer { service.stop() }
        // Everything is selected in part: an answer of 1 MB and a little, in a buffer of 2.
        var body = [UInt8](repeating: 0, count: 4 * 131_072)
        if hasInfinity { body.replaceSubrange(0..<4, with: [0, 0, 0x80, 0xff]) }
        let answer = try service.client().request(
            "POST", "/topk?n=131072&k=1&lambda=1e9&p=2",
            headers: [("Content-Type", "application/octet-stream")], body: body)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.header("Topk-Nnz") == (hasInfinity ? "131071" : "131072"))
    }

    @Test("a JSON body that could never fit the budget is a 413, not a 503 for ever")
    func hopelessBody() throws {
        let service = try LiveService {
            $0.limits.inflightBytesMax = 1 << 20
            $0.limits.bodyBytesMax = 1 << 20
        }
        defer { service.stop() }
        let client = try service.client()
        let padding = String(repeating: " ", count: 200_000)
        let response = try client.post("/topk", json: "{\"x\": [1], \"k\": 1}" + padding)
        try BadInputTests.check(response, 413, "body_too_large", "Content-Length")
        let good = try client.post(
            "/topk", json: "{\"x\": [1], \"k\": 1}" + padding.prefix(100_000))
        #expect(good.status == 200)
    }

    @Test("aborted uploads give their memory back by the connection timeout at the latest")
    func aborted() throws {
        // libmicrohttpd misses some of the closes under epoll; its timeout finds them.
        let service = try LiveService { $0.limits.connectionTimeoutSeconds = 1 }
        defer { service.stop() }
        let observer = try service.client()
        func inflightBytes() throws -> String? {
            try observer.request("GET", "/metrics").text.split(separator: "\n")
                .first { $0.hasPrefix("topkd_inflight_bytes ") }.map { String($0) }
        }
        for _ in 0..<20 {
            let client = try service.client()
            client.send(
                "POST /topk?n=1000&k=1 HTTP/1.1\r\nHost: t\r\n"
                    + "Content-Type: application/octet-stream\r\nContent-Length: 10000000\r\n\r\n")
            client.send([UInt8](repeating: 0, count: 100_000))
        }
        for _ in 0..<500 where try inflightBytes() != "topkd_inflight_bytes 0.0" { usleep(10_000) }
        #expect(try inflightBytes() == "topkd_inflight_bytes 0.0")
    }
}
