import Glibc
import Execution
import Logging
import Service

/// The real service on a free port, in this process; stopped when the test lets go of it.
package final class LiveService: Sendable {
    package var port: Int { ports[0] }
    /// Of every listener that has one.
    package let ports: [Int]
    private let application: Application

    /// - Parameters:
    ///   - configure: changes limits before the start.
    ///   - doors: what it offers.
    package init(
        doors: Doors = .standard, _ configure: (inout Configuration) -> Void = { _ in }
    ) throws {
        var configuration = Configuration()
        configuration.port = 0
        configure(&configuration)
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .critical
        application = try Application(configuration, logger, doors)
        ports = application.urls.compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }
    }

    package func client(timeoutSeconds: Int = 30) throws -> HTTPClient {
        try HTTPClient(port: port, timeoutSeconds: timeoutSeconds)
    }

    /// A client that has announced `byteCount` bytes of float32 rows (n = 1000) and sent none: the
    /// service holds memory for them for as long as the client lives. Returns when the memory is
    /// taken: a request that came before could keep it out.
    package func holdMemory(byteCount: Int) throws -> HTTPClient {
        let holder = try client()
        holder.send(
            "POST /topk?n=1000&k=1&lambda=0 HTTP/1.1\r\nHost: t\r\nContent-Length: \(byteCount)\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n")
        let observer = try client()
        for _ in 0..<2000 {
            let metrics = try observer.request("GET", "/metrics").text
            if !metrics.contains("\ntopkd_inflight_bytes 0.0\n") { break }
            usleep(2000)
        }
        return holder
    }

    /// A client whose request keeps a worker for a second and a half, and is answered 504 then. The
    /// service has `Doors.withSlowWork`.
    package func occupyWorker() throws -> HTTPClient {
        let busy = try client()
        busy.send(
            "POST /slow HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n"
                + "Topk-Timeout-Ms: 1500\r\nContent-Type: application/json\r\n\r\n{}")
        let observer = try client()
        for _ in 0..<1000 {
            let metrics = try observer.request("GET", "/metrics").text
            if metrics.contains("topkd_workers_busy 1") { break }
            usleep(1000)
        }
        return busy
    }

    /// Stops in order, as SIGTERM does.
    package func stop() { application.stop() }
}
