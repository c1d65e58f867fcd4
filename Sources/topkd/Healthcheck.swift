import ArgumentParser
import Glibc

/// For containers: asks a service on this machine whether it takes requests.
struct Healthcheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Exit with 0 if a service on this machine answers 200, otherwise with 1.",
        discussion: """
            Asks the port of --port, TOPKD_PROBE_PORT, TOPKD_PORT or 8080, or the Unix socket of \
            --unix or (with TOPKD_TCP=off) TOPKD_UNIX. It does not speak TLS: give such a service \
            a --probe-port.
            """)

    @Option(help: "Port on 127.0.0.1.")
    var port: Int?

    @Option(help: "Path of a Unix socket.")
    var unix: String?

    @Option(help: "What to ask for.")
    var path = "/readyz"

    @Option(help: "Seconds to wait.")
    var timeoutSeconds = 3

    func validate() throws {
        if let port { try ClosedRange.ports.check("--port", port) }
        // 0 would be for ever.
        try (1...86_400).check("--timeout-seconds", timeoutSeconds)
    }

    func run() throws {
        let descriptor = try socketPath.map { connectUnix($0) } ?? connectTCP(askedPort())
        guard descriptor >= 0 else {
            try fail("no connection: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var wait = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, size)
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        let sent = request.withCString {
            send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL))
        }
        var answer = [UInt8](repeating: 0, count: 64)
        let count = sent > 0 ? recv(descriptor, &answer, answer.count, 0) : -1
        guard count > 0 else { try fail("no answer within \(timeoutSeconds) s") }
        let line = String(decoding: answer.prefix(count), as: UTF8.self).prefix { $0 != "\r\n" }
        guard line.hasPrefix("HTTP/1.1 200") else { try fail(String(line)) }
        print("ok")
    }

    private func fail(_ reason: String) throws -> Never {
        print("not healthy: \(reason)")
        throw ExitCode.failure
    }

    /// nil: a port is asked.
    private var socketPath: String? {
        if unix != nil || port != nil { return unix }
        guard Environment.value("TOPKD_TCP", or: "--port") == "off" else { return nil }
        return Environment.value("TOPKD_UNIX", or: "--unix")
    }

    private func askedPort() throws -> Int {
        if let port { return port }
        for name in ["TOPKD_PROBE_PORT", "TOPKD_PORT"] {
            guard let value = Environment.value(name, or: "--port") else { continue }
            guard let port = Int(value), ClosedRange.ports.contains(port) else {
                try fail("\(name) must be from 0 to 65535, and is \(value)")
            }
            return port
        }
        return 8080
    }

    private func connectTCP(_ port: Int) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return connected(AF_INET, &address)
    }

    private func connectUnix(_ path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return connected(AF_UNIX, &address)
    }

    private func connected<Address>(_ family: Int32, _ address: inout Address) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        if code == 0 { return descriptor }
        let reason = errno
        close(descriptor)
        errno = reason
        return -1
    }
}
