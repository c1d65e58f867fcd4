import Glibc
import Inference
import Logging
import Service

/// The real service on a free port, in this process; stopped when the test lets go of it.
package final class LiveService: Sendable {
    package let port: Int
    private let application: Application

    /// - Parameter configure: changes limits before the start.
    package init(_ configure: (inout Configuration) -> Void = { _ in }) throws {
        var configuration = Configuration()
        configuration.port = 0
        configure(&configuration)
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .critical
        application = try Application(configuration, logger)
        guard let port = application.url.split(separator: ":").last.flatMap({ Int($0) }) else {
            fatalError("no port in \(application.url)")
        }
        self.port = port
    }

    package func client(timeoutSeconds: Int = 30) throws -> HTTPClient {
        try HTTPClient(port: port, timeoutSeconds: timeoutSeconds)
    }

    /// A client that has announced `byteCount` bytes of float32 rows (n = 1) and sent none: the
    /// service holds memory for them for as long as the client lives. Returns when the memory is
    /// taken: a request that came before could keep it out.
    package func holdMemory(byteCount: Int) throws -> HTTPClient {
        let holder = try client()
        holder.send(
            "POST /topk?n=1&k=1 HTTP/1.1\r\nHost: t\r\nContent-Length: \(byteCount)\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n")
        let observer = try client()
        for _ in 0..<2000 {
            let metrics = try observer.request("GET", "/metrics").text
            if !metrics.contains("\ntopkd_inflight_bytes 0.0\n") { break }
            usleep(2000)
        }
        return holder
    }

    /// Stops in order, as SIGTERM does.
    package func stop() { application.stop() }
}
