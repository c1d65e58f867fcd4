import ArgumentParser
import Glibc
import Service

/// Where the service listens, and who is let in.
struct ListenOptions: ParsableArguments {
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "TCP port; 0 takes a free one.")
    var port = 8080

    @Option(help: "on or off: whether to listen on the TCP port; off goes with --unix.")
    var tcp = "on"

    @Option(help: "Path of a Unix socket to listen on.")
    var unix: String?

    @Option(help: "Permissions of the Unix socket, octal.")
    var unixMode = "660"

    @Option(help: "Address of --probe-port.")
    var probeHost = "127.0.0.1"

    @Option(help: "A port for health and metrics only, without tokens and TLS; 0 takes a free one.")
    var probePort: Int?

    @Option(help: "PEM file of a certificate and its chain: the TCP port speaks TLS.")
    var tlsCertificate: String?

    @Option(help: "PEM file of the certificate's key.")
    var tlsKey: String?

    @Option(help: "File of bearer tokens, one a line; all but health then needs one.")
    var tokenFile: String?

    func validate() throws {
        try ClosedRange.ports.check("--port", port)
        if let probePort { try ClosedRange.ports.check("--probe-port", probePort) }
        guard ["on", "off"].contains(tcp) else {
            throw ValidationError("--tcp must be on or off, and is \(tcp).")
        }
        if tcp == "off" && unix == nil {
            throw ValidationError("--tcp off needs --unix: there is nothing to listen on.")
        }
        guard let mode = Int(unixMode, radix: 8), (0...0o777).contains(mode) else {
            throw ValidationError("--unix-mode must be octal, from 0 to 777, and is \(unixMode).")
        }
        if (tlsCertificate == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
    }

    func apply(to settings: inout Configuration) throws {
        settings.host = host
        settings.port = tcp == "on" ? port : nil
        settings.unixPath = unix
        settings.unixMode = Int(unixMode, radix: 8) ?? 0
        settings.probeHost = probeHost
        settings.probePort = probePort
        if let tlsCertificate, let tlsKey {
            settings.tls = (
                try Self.read("--tls-certificate", tlsCertificate),
                try Self.read("--tls-key", tlsKey)
            )
        }
        if let tokenFile {
            let text = try Self.read("--token-file", tokenFile)
            if let line = Tokens.firstBadLine(text) {
                throw ValidationError(
                    "--token-file \(tokenFile): line \(line) is no token of visible ASCII.")
            }
            settings.tokens = Tokens(text: text)
            if settings.tokens.isEmpty {
                throw ValidationError("--token-file \(tokenFile) holds no token.")
            }
        }
    }

    /// A small text file.
    private static func read(_ flag: String, _ path: String) throws -> String {
        guard let file = fopen(path, "r") else {
            throw ValidationError(
                "\(flag): cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0, feof(file) != 0 else {
            throw ValidationError("\(flag): cannot read \(path), or it has more than 1 MiB.")
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
