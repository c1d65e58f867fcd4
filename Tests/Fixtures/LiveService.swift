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

    /// Stops in order, as SIGTERM does.
    package func stop() { application.stop() }
}
