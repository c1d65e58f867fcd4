import Platform
import Synchronization

/// Deadlines of connections, with their units.
package struct ConnectionDeadlines: Sendable {
    /// From the first byte (or the connection's begin) to the end of the header.
    package var headerSeconds: Int
    /// A connection without a request line ends after this time, where the system does not say
    /// whether bytes came (a Unix socket).
    package var idleSeconds: Int
    /// From the end of the header to the end of the body.
    package var bodySeconds: Int
    /// While a body comes in or an answer goes out, this many bytes have to move...
    package var stallBytes: Int
    /// ... in this time, or what is left of them.
    package var stallSeconds: Int
    /// Where the system does not say what arrived (a Unix socket), an answer has the above time and
    /// one second for each of so many bytes.
    package var unseenBytesPerSecond = 1 << 20

    package init(
        headerSeconds: Int, idleSeconds: Int, bodySeconds: Int, stallBytes: Int, stallSeconds: Int
    ) {
        self.headerSeconds = headerSeconds
        self.idleSeconds = idleSeconds
        self.bodySeconds = bodySeconds
        self.stallBytes = stallBytes
        self.stallSeconds = stallSeconds
    }
}

/// Ends connections that take too long, whatever trickles in: the library's own timeout begins anew
/// with every byte. And those whose client has gone, where the library does not see it.
///
/// One thread that looks at every open connection twice a second.
final class Reaper: @unchecked Sendable {
    private let deadlines: ConnectionDeadlines
    private let open = Lock<[ObjectIdentifier: Entry]>([:])
    private let isStopping = Atomic<Bool>(false)
    private let thread = Lock<[Thread]>([])

    /// A connection, and since when how much has moved on it.
    private struct Entry {
        let connection: Connection
        var watch = Watch()
        /// When the phase began in which the client was last seen to have ended its side.
        var endedPhase = -1
    }

    private struct Watch {
        var started = -1
        var windowStart = 0
        var windowProgress = 0
    }

    private static let intervalMicroseconds: UInt32 = 100_000
    private static let intervalsPerScan = 5

    init(_ deadlines: ConnectionDeadlines) {
        self.deadlines = deadlines
    }

    func start() {
        thread.withLock { $0 = [Thread { [self] in run() }] }
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        for thread in thread.withLock({ $0 }) { thread.join() }
    }

    func add(_ connection: Connection) {
        open.withLock { $0[ObjectIdentifier(connection)] = Entry(connection: connection) }
    }

    /// Before its socket is closed: the number may be another's right after.
    func remove(_ connection: Connection) {
        open.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// Whether a request that has arrived waits for its answer, or for its answer's last byte.
    /// O(open connections).
    var isAnswering: Bool {
        open.withLock { entries in
            entries.values.contains { [.working, .writing].contains($0.connection.phase) }
        }
    }

    private func run() {
        var interval = 0
        while !isStopping.load(ordering: .relaxed) {
            Thread.sleep(microseconds: Self.intervalMicroseconds)
            interval += 1
            if interval % Self.intervalsPerScan == 0 { scan(now: MonotonicClock.tick()) }
        }
    }

    /// Under the table's lock throughout: no connection is closed meanwhile.
    private func scan(now: Int) {
        open.withLock { entries in
            for key in entries.keys {
                guard var entry = entries[key] else { continue }
                if isOverdue(entry.connection, &entry.watch, now) {
                    entry.connection.reap()
                } else if isCutShort(&entry) {
                    entry.connection.hangUp()
                }
                entries[key] = entry
            }
        }
    }

    /// Whether the client has ended its side in the middle of a request, or without one. The
    /// library misses that where the end came together with bytes, and would wait for more. Twice
    /// in a row, so that it has had its time with the last of them.
    private func isCutShort(_ entry: inout Entry) -> Bool {
        let before = entry.endedPhase
        entry.endedPhase = -1
        switch entry.connection.phase {
        case .working, .writing: return false
        case .idle, .header, .body:
            guard entry.connection.hasEnded else { return false }
            entry.endedPhase = entry.connection.phaseStarted
            return entry.endedPhase == before
        }
    }

    private func isOverdue(
        _ connection: Connection, _ watch: inout Watch, _ now: Int
    ) -> Bool {
        let phase = connection.phase
        let started = connection.phaseStarted
        switch phase {
        case .working:
            return false
        case .header:
            return now - started > deadlines.headerSeconds * 1_000_000_000
        case .idle:
            let received = connection.traffic?.received
            let hasBegun = connection.hasBegun
            if received == nil && !hasBegun {
                return now - started > deadlines.idleSeconds * 1_000_000_000
            }
            if watch.started != started {
                watch = Watch(started: started, windowStart: 0, windowProgress: received ?? 0)
            }
            // Bytes without a request line: a header has begun.
            if !hasBegun && received == watch.windowProgress { return false }
            if watch.windowStart == 0 { watch.windowStart = now }
            return now - watch.windowStart > deadlines.headerSeconds * 1_000_000_000
        case .body:
            let deadline = min(
                connection.bodyDeadline, started + deadlines.bodySeconds * 1_000_000_000)
            return now > deadline || isStalled(&watch, started, connection.progress, now)
        case .writing:
            guard let traffic = connection.traffic else {
                let seconds =
                    deadlines.stallSeconds + connection.replyBytes / deadlines.unseenBytesPerSecond
                return now - started > seconds * 1_000_000_000
            }
            return isStalled(&watch, started, traffic.acknowledged, now)
        }
    }

    /// Whether less than `stallBytes` moved in the last `stallSeconds`.
    private func isStalled(
        _ watch: inout Watch, _ started: Int, _ progress: Int, _ now: Int
    ) -> Bool {
        if watch.started != started {
            watch = Watch(started: started, windowStart: started, windowProgress: progress)
        }
        if progress - watch.windowProgress >= deadlines.stallBytes {
            watch.windowStart = now
            watch.windowProgress = progress
        }
        return now - watch.windowStart > deadlines.stallSeconds * 1_000_000_000
    }
}
