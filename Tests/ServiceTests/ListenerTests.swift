import Fixtures
import Foundation
import Service
import Testing

/// Catches a door that stays open, or one that does not open: Unix sockets, TLS, tokens, probes.
/// Asks with curl, as users do.
@Suite struct ListenerTests {
    private static let body = #"{"x": [3, 1, 2], "k": 1, "lambda": 0}"#

    /// Standard output and the status that curl saw.
    private func curl(_ arguments: [String]) throws -> String {
        try Command("/usr/bin/env", ["curl", "-s", "-w", " %{http_code}", "-m", "10"] + arguments)
            .output
    }

    private func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("topkd-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    @Test("a Unix socket answers beside TCP, has its mode, replaces a dead one, goes at the end")
    func unixSocket() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("topkd.sock").path
        for round in 0..<2 {
            let service = try LiveService {
                $0.unixPath = path
                $0.unixMode = 0o600
            }
            let answer = try curl([
                "--unix-socket", path, "http://localhost/topk", "-d", Self.body, "-H",
                "Content-Type: application/json",
            ])
            #expect(answer.hasSuffix("\"data\":[1]}\n 200"), "\(answer)")
            #expect(try service.client().request("GET", "/livez").status == 200)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            // A second service must not take the first one's away.
            #expect(throws: (any Error).self) { try LiveService { $0.unixPath = path } }
            service.stop()
            #expect(!FileManager.default.fileExists(atPath: path))
            // What a killed service leaves behind, for the second round.
            if round == 0 { leaveDeadSocket(path) }
        }
        _ = FileManager.default.createFile(atPath: path, contents: Data("mine".utf8))
        #expect(throws: (any Error).self) { try LiveService { $0.unixPath = path } }
        #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8))
    }

    private func leaveDeadSocket(_ path: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(code == 0)
        close(descriptor)
    }

    // Catches a server that takes its successor's socket away when it ends.
    @Test("a Unix socket that another has made in its place stays")
    func successor() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path + "/s"
        let first = try LiveService { $0.unixPath = path }
        unlink(path)
        let second = try LiveService { $0.unixPath = path }
        first.stop()
        #expect(FileManager.default.fileExists(atPath: path))
        second.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("TLS answers who knows the certificate, and nobody in plain text")
    func tls() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (certificate, key) = (folder.path + "/cert.pem", folder.path + "/key.pem")
        let made = try Command(
            "/usr/bin/env",
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", key, "-out", certificate, "-days", "1", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            ])
        try #require(made.status == 0, "\(made.output)")
        let texts = try [certificate, key].map { try String(contentsOfFile: $0, encoding: .utf8) }
        let service = try LiveService { $0.tls = (certificate: texts[0], key: texts[1]) }
        defer { service.stop() }
        let url = "https://localhost:\(service.port)/topk"
        let options = ["-d", Self.body, "-H", "Content-Type: application/json"]
        let answer = try curl([url, "--cacert", certificate] + options)
        #expect(answer.hasSuffix("\"data\":[1]}\n 200"), "\(answer)")
        // Larger than one TLS record, both ways.
        let row = (0..<20_000).map { "\($0)" }.joined(separator: ",")
        let large = folder.path + "/large.json"
        try "{\"x\": [\(row)], \"k\": 5, \"lambda\": 0, \"format\": \"dense\"}"
            .write(toFile: large, atomically: true, encoding: .utf8)
        let dense = try curl(
            [url, "--cacert", certificate, "-d", "@" + large, "-H", options[3]])
        #expect(dense.hasSuffix("0,1,1,1,1,1]}\n 200"))
        // Catches NULs that nobody looks for where bytes are decrypted elsewhere.
        for (line, status) in [("X: y\\0\\n", "400"), ("X: y\\r\\n", "200")] {
            let lines = "Host: t\\r\\n\(line)Connection: close\\r\\n\\r\\n"
            let request = "GET /livez HTTP/1.1\\r\\n" + lines
            let connect = "openssl s_client -quiet -connect localhost:\(service.port)"
            let raw = try Command("/bin/sh", ["-c", "printf '\(request)' | \(connect) 2>&1"])
            #expect(raw.output.contains("HTTP/1.1 \(status) "), "\(raw.output)")
        }
        let stranger = try curl([url] + options)
        #expect(stranger == " 000")
        let plain = try curl(["http://localhost:\(service.port)/livez"])
        #expect(plain == " 000")
    }

    @Test("without one of the tokens there is nothing but health")
    func tokens() throws {
        let service = try LiveService { $0.tokens = Tokens(text: "# ours\nfirst\n\nsecond \n") }
        defer { service.stop() }
        let client = try service.client()
        for path in ["/livez", "/readyz", "/healthz"] {
            #expect(try client.request("GET", path).status == 200)
        }
        for path in ["/metrics", "/operators", "/openapi.yaml", "/nowhere"] {
            let answer = try client.request("GET", path)
            try BadInputTests.check(answer, 401, "unauthorized", "Authorization")
            #expect(answer.header("WWW-Authenticate") == "Bearer")
        }
        let bad = [
            "Bearer", "Bearer ", "Bearer firs", "Bearer firsts", "Bearer First", "Basic first",
            "first", "Bearer # ours", "Bearer first second",
        ]
        for value in bad {
            let answer = try client.post(
                "/topk", json: Self.body, headers: [("Authorization", value)])
            #expect(answer.status == 401, "\(value)")
        }
        // Blanks behind a value are none of it (RFC 9110 5.5).
        for value in ["Bearer first", "bearer second", "Bearer  first", "Bearer first \t"] {
            let answer = try client.post(
                "/topk", json: Self.body, headers: [("Authorization", value)])
            #expect(answer.status == 200, "\(value)")
        }
    }

    // Catches half of a line that becomes a token.
    @Test("a line that is no token is named, and none of it is one")
    func badTokenLines() {
        #expect(Tokens.firstBadLine("a\r\n# b c\n\n  d  \n") == nil)
        let cases = [
            ("ok\nabc\u{e9}def", "abc"), ("ok\nwith space", "with"), ("ok\n\u{feff}b", "b"),
        ]
        for (text, half) in cases {
            #expect(Tokens.firstBadLine(text) == 2)
            #expect(Tokens(text: text).find("Bearer \(half)") == nil)
            #expect(Tokens(text: text).find("Bearer ok") != nil)
        }
    }

    @Test("TLS that cannot start says so")
    func badTLS() {
        #expect {
            try LiveService { $0.tls = (certificate: "no", key: "pem") }
        } throws: { "\($0)".contains("certificate") }
    }

    @Test("the port for probes has health and metrics, without tokens, and nothing else")
    func probes() throws {
        let service = try LiveService {
            $0.probePort = 0
            $0.tokens = Tokens(text: "secret")
        }
        defer { service.stop() }
        let client = try HTTPClient(port: service.ports[1])
        for path in ["/livez", "/readyz", "/healthz", "/metrics"] {
            #expect(try client.request("GET", path).status == 200)
        }
        let unknown = try client.request("GET", "/operators")
        try BadInputTests.check(unknown, 404, "not_found", nil)
        #expect(unknown.text.contains("there are /livez, /readyz, /healthz, /metrics\""))
        try BadInputTests.check(client.post("/topk", json: Self.body), 404, "not_found", nil)
    }
}
