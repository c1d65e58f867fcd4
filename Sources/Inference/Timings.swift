/// The stages of a request, with the same names in metrics, Server-Timing, logs and docs.
package enum Stage: String, CaseIterable, Sendable {
    case decode
    case queue
    case compute
    case encode
    case total
}

/// How long each stage of one request took, in nanoseconds.
package struct Timings: Sendable {
    private var nanoseconds = [Int](repeating: 0, count: Stage.allCases.count)

    package init() {}

    package subscript(stage: Stage) -> Int {
        get { nanoseconds[Self.index(stage)] }
        set { nanoseconds[Self.index(stage)] = newValue }
    }

    private static func index(_ stage: Stage) -> Int {
        switch stage {
        case .decode: 0
        case .queue: 1
        case .compute: 2
        case .encode: 3
        case .total: 4
        }
    }

    /// The value of a Server-Timing header: milliseconds, as W3C asks.
    package var serverTiming: String {
        Stage.allCases.map { stage in
            let microseconds = (self[stage] + 500) / 1000
            let fraction = String(1000 + microseconds % 1000).dropFirst()
            return "\(stage.rawValue);dur=\(microseconds / 1000).\(fraction)"
        }.joined(separator: ", ")
    }
}
