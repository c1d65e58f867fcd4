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
        String(unsafeUninitializedCapacity: 256) { bytes in
            var count = 0
            func append(_ byte: UInt8) {
                bytes[count] = byte
                count += 1
            }
            for stage in Stage.allCases {
                let microseconds = max(0, (self[stage] + 500) / 1000)
                if count > 0 { for byte in ", ".utf8 { append(byte) } }
                for byte in stage.rawValue.utf8 { append(byte) }
                for byte in ";dur=".utf8 { append(byte) }
                for byte in String(microseconds / 1000).utf8 { append(byte) }
                append(UInt8(ascii: "."))
                for divisor in [100, 10, 1] {
                    append(UInt8(ascii: "0") + UInt8(microseconds / divisor % 10))
                }
            }
            return count
        }
    }
}
