/// Something that /metrics shows.
package protocol Metric: AnyObject, Sendable {
    var name: String { get }
    func write(to text: inout Exposition)
}

/// The Prometheus text format, version 0.0.4.
package struct Exposition {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var text = ""

    /// All metrics, in the given order.
    package static func render(_ metrics: [any Metric]) -> String {
        var exposition = Exposition()
        exposition.text.reserveCapacity(64 * 1024)
        for metric in metrics { metric.write(to: &exposition) }
        return exposition.text
    }

    mutating func header(_ name: String, help: String, type: String) {
        text += "# HELP \(name) \(Self.escaped(help))\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: String, _ value: Int) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    mutating func sample(_ name: String, _ labels: String, _ value: Double) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// Backslash, double quote and line feed, as the format asks.
    static func escaped(_ value: String) -> String {
        var result = ""
        for character in value {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result
    }
}
