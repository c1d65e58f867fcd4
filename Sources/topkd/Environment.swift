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
            if !given, let value = value(variable(flag), or: flag) {
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
        StandardError.say(
            "Note: these flags came from the environment: \(used.joined(separator: ", "))")
    }

    /// What a variable says; nil, after a warning, where it was not meant as configuration.
    ///
    /// In the pods of a namespace that has a Service called topkd, Kubernetes sets TOPKD_PORT to
    /// tcp://10.96.12.7:8080. A service that ends at that would start again and again.
    /// - Parameter flag: what says the same on the command line.
    static func value(_ name: String, or flag: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }) else { return nil }
        if value.isEmpty {
            StandardError.say(
                "Warning: \(name) is passed over: it is empty. Unset it, or give it a value.")
            return nil
        }
        if ["tcp://", "udp://", "sctp://"].contains(where: { value.hasPrefix($0) }) {
            StandardError.say(
                "Warning: \(name) is passed over: \(value) looks like an address that Kubernetes "
                    + "gives to pods beside a Service of that name. Set enableServiceLinks: false "
                    + "in the pod's spec, or give \(flag).")
            return nil
        }
        return value
    }
}
