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
    private var decode = 0
    private var queue = 0
    private var compute = 0
    private var encode = 0
    private var total = 0

    package init() {}

    package subscript(stage: Stage) -> Int {
        get {
            switch stage {
            case .decode: decode
            case .queue: queue
            case .compute: compute
            case .encode: encode
            case .total: total
            }
        }
        set {
            switch stage {
            case .decode: decode = newValue
            case .queue: queue = newValue
            case .compute: compute = newValue
            case .encode: encode = newValue
            case .total: total = newValue
            }
        }
    }

    /// The value of a Server-Timing header: milliseconds, as W3C asks.
    package var serverTiming: String {
        String(unsafeUninitializedCapacity: 256) { bytes in
            var count = 0
            func append(_ text: String) {
                for byte in text.utf8 {
                    bytes[count] = byte
                    count += 1
                }
            }
            for stage in Stage.allCases {
                let microseconds = max(0, (self[stage] + 500) / 1000)
                if count > 0 { append(", ") }
                append(stage.rawValue)
                append(";dur=")
                // At least one digit before the point, and three behind it.
                var divisor = 1000
                while microseconds / divisor >= 10 { divisor *= 10 }
                while divisor > 0 {
                    if divisor == 100 { append(".") }
                    bytes[count] = UInt8(ascii: "0") + UInt8(microseconds / divisor % 10)
                    count += 1
                    divisor /= 10
                }
            }
            return count
        }
    }
}
