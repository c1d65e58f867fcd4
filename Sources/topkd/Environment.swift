import Glibc

/// TOPKD_... variables: each flag of `serve` has one, the flag's name in capitals.
///
/// A variable becomes its flag in front of the command line's own, so that both are checked by the
/// same rules and the command line wins.
struct Environment {
    let arguments: [String]
    /// Variables that stand in for a flag, for error messages.
    let used: [String]

    static func current() -> Environment {
        var arguments = Array(CommandLine.arguments.dropFirst())
        guard let serve = arguments.firstIndex(of: "serve") else {
            return Environment(arguments: arguments, used: [])
        }
        var inserted: [String] = []
        var used: [String] = []
        for flag in Serve.allFlags {
            let given = arguments.contains { $0 == flag || $0.hasPrefix(flag + "=") }
            if let value = value(variable(flag)), !given {
                inserted.append("\(flag)=\(value)")
                used.append(variable(flag))
            }
        }
        arguments.insert(contentsOf: inserted, at: serve + 1)
        return Environment(arguments: arguments, used: used)
    }

    /// "--body-bytes-max" -> "TOPKD_BODY_BYTES_MAX".
    static func variable(_ flag: String) -> String {
        "TOPKD_" + String(flag.dropFirst(2).map { $0 == "-" ? "_" : $0 }).uppercased()
    }

    static func explain(_ used: [String]) {
        let text = "Note: these flags came from the environment: \(used.joined(separator: ", "))\n"
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    private static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
