import Platform

/// The stages of a request, with the same names in metrics, Server-Timing, logs and docs.
package enum Stage: String, CaseIterable, Sendable {
    case decode
    case queue
    case compute
    case encode
    case total

    /// What stands before its time in Server-Timing, to be copied at once.
    fileprivate var timingPrefix: StaticString {
        switch self {
        case .decode: "decode;dur="
        case .queue: ", queue;dur="
        case .compute: ", compute;dur="
        case .encode: ", encode;dur="
        case .total: ", total;dur="
        }
    }
}

/// How long each stage of one request took, in nanoseconds. Each begins where the one before it
/// ended: the clock is read once between two.
package struct Timings: Sendable {
    /// When the last stage ended, on the monotonic clock.
    package private(set) var lastNanoseconds = 0
    private var decode = 0
    private var queue = 0
    private var compute = 0
    private var encode = 0
    private var total = 0

    package init() {}

    /// - Parameter start: of the first stage.
    mutating func begin(at start: Int) { lastNanoseconds = start }

    /// The stage that began when the last one ended is over. A stage may come more than once: a
    /// search waits for a worker, and then for a thread of its own.
    package mutating func end(_ stage: Stage) {
        let now = MonotonicClock.now()
        self[stage] += now - lastNanoseconds
        lastNanoseconds = now
    }

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

    /// Hands out the value of a Server-Timing header: milliseconds, as W3C asks. Not a String:
    /// making one took as long as its digits.
    package func withServerTiming(_ body: (UnsafePointer<CChar>) -> Void) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.serverTimingBytesMax) {
            text in
            guard let start = text.baseAddress else { return }
            var end = start
            for stage in Stage.allCases {
                Self.append(stage.timingPrefix, &end)
                let microseconds = min(max(0, (self[stage] + 500) / 1000), Self.microsecondsMax)
                Self.append(microseconds / 1000, &end)
                Self.appendFraction(microseconds % 1000, &end)
            }
            end.pointee = 0
            body(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
        }
    }

    /// Eleven days: nothing lives as long, and the buffer has room for its digits.
    private static let microsecondsMax = 999_999_999_999
    private static let serverTimingBytesMax = 256

    /// A point and three digits.
    private static func appendFraction(
        _ thousandths: Int, _ end: inout UnsafeMutablePointer<UInt8>
    ) {
        end[0] = UInt8(ascii: ".")
        end[1] = digit(thousandths / 100)
        end[2] = digit(thousandths / 10 % 10)
        end[3] = digit(thousandths % 10)
        end += 4
    }

    private static func digit(_ value: Int) -> UInt8 {
        UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)
    }

    private static func append(_ value: Int, _ end: inout UnsafeMutablePointer<UInt8>) {
        var count = 1
        var bound = 10
        while value >= bound {
            count += 1
            bound *= 10
        }
        var rest = value
        var place = count
        while place > 0 {
            place -= 1
            end[place] = digit(rest % 10)
            rest /= 10
        }
        end += count
    }

    private static func append(_ text: StaticString, _ end: inout UnsafeMutablePointer<UInt8>) {
        end.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        end += text.utf8CodeUnitCount
    }
}
