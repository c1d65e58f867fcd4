import ArgumentParser
import Service

@main
struct Topkd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topkd",
        abstract: "Sparse, differentiable top-k operators over HTTP.",
        version: "topkd \(Version.current)",
        subcommands: [Serve.self, Healthcheck.self])

    static func main() {
        let environment = Environment.current()
        do {
            var command = try parseAsRoot(environment.arguments)
            try command.run()
        } catch {
            if !environment.used.isEmpty {
                Environment.explain(environment.used)
            }
            exit(withError: error)
        }
    }
}
