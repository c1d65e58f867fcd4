import CMicroHTTPD
import Glibc
import Synchronization

/// What an open connection is doing, for deadlines.
enum ConnectionPhase: Int {
    /// Waits for a request, on a connection that has had one.
    case idle
    /// Reads a request line and headers.
    case header
    case body
    /// The request is in our hands: its deadline is the service's business.
    case working
    case writing
}

/// How far the other side of a connection has left.
package enum ConnectionDeparture: Sendable {
    case none
    /// It has ended its side. It may have gone, or only half-closed, and reads on: the two cannot
    /// be told apart.
    case halfClosed
    /// Both directions are closed.
    case gone
}

/// One open connection. Its epoll thread writes the phase, the reaper reads it.
///
/// Owned by the library's connection from NOTIFY_CONNECTION's start to its end; the reaper's table
/// lets it go before the library closes the socket.
package final class Connection: @unchecked Sendable {
    let descriptor: Int32
    /// Its bytes; nil if they are not looked at, and nothing of it can be trusted.
    let stream: OpaquePointer?
    let openedNanoseconds: Int
    /// Whether what the socket receives is TLS.
    let isEncrypted: Bool
    private let phaseValue: Atomic<Int>
    private let startedValue: Atomic<Int>
    private let progressValue = Atomic<Int>(0)
    private let endValue = Atomic<Int>(0)
    private let reapedValue = Atomic<Bool>(false)
    /// Bytes that are still to be sent when the phase is `writing`.
    private let replyBytesValue = Atomic<Int>(0)
    private let bodyDeadlineValue = Atomic<Int>(.max)
    /// The last targets that were worth keeping, the latest last. Its epoll thread's.
    private var targets: [Target] = []
    /// A trainer's forward and backward passes, and something beside.
    private static let targetsMax = 4
    /// Who is at the other end: equal numbers are one address, or one process.
    package let peer: UInt64

    init(descriptor: Int32, isEncrypted: Bool, now: Int) {
        self.descriptor = descriptor
        self.isEncrypted = isEncrypted
        stream = CMicroHTTPD_open_stream(descriptor, isEncrypted)
        openedNanoseconds = now
        peer = CMicroHTTPD_peer(descriptor)
        // Who connects and says nothing has as long as for a header.
        phaseValue = Atomic(ConnectionPhase.header.rawValue)
        startedValue = Atomic(now)
    }

    /// Whether an answer is being made: until then a client that has ended its side is not
    /// disconnected, for it may read on.
    func holdEnd(_ holds: Bool) { CMicroHTTPD_hold_end(stream, holds) }

    /// Before the socket is closed: its number may be another's right after.
    func closeStream() { CMicroHTTPD_close_stream(stream) }

    /// The target that was received: one of those that the connection keeps, or a new one.
    func target(_ received: UnsafePointer<CChar>) -> Target {
        var place = targets.count
        while place > 0 {
            place -= 1
            if targets[place].isOf(received) { return targets[place] }
        }
        let target = Target(String(cString: received))
        if target.isKept {
            if targets.count == Self.targetsMax { targets.removeFirst() }
            targets.append(target)
        }
        return target
    }

    /// Whether something of another request has come than the one that was read last.
    var hasBegun: Bool { CMicroHTTPD_has_begun(stream) }

    /// Ask for this before `phaseStarted`: that is then of this phase, or of a later one.
    var phase: ConnectionPhase {
        ConnectionPhase(rawValue: phaseValue.load(ordering: .acquiring)) ?? .idle
    }

    /// When the phase began, about; no two of a connection's began at the same time.
    var phaseStarted: Int { startedValue.load(ordering: .relaxed) }

    /// Bytes of body so far.
    var progress: Int { progressValue.load(ordering: .relaxed) }
    var replyBytes: Int { replyBytesValue.load(ordering: .relaxed) }

    /// When the body that comes in is of no more use, on the monotonic clock.
    var bodyDeadline: Int {
        get { bodyDeadlineValue.load(ordering: .relaxed) }
        set { bodyDeadlineValue.store(newValue, ordering: .relaxed) }
    }

    func enter(_ phase: ConnectionPhase, now: Int, replyBytes: Int = 0) {
        progressValue.store(0, ordering: .relaxed)
        replyBytesValue.store(replyBytes, ordering: .relaxed)
        // Several may begin between two ticks of the clock.
        startedValue.store(max(now, phaseStarted + 1), ordering: .relaxed)
        phaseValue.store(phase.rawValue, ordering: .releasing)
    }

    func advance(to byteCount: Int) { progressValue.store(byteCount, ordering: .relaxed) }

    /// How the connection ends, as far as is known; a deadline of ours is the last word.
    var end: ConnectionEnd {
        if reapedValue.load(ordering: .relaxed) { return .timeout }
        return ConnectionEnd.allCases[endValue.load(ordering: .relaxed)]
    }

    func note(_ end: ConnectionEnd) {
        // Of each request, and nearly always.
        if case .normal = end { return }
        endValue.store(ConnectionEnd.allCases.firstIndex(of: end) ?? 0, ordering: .relaxed)
    }

    /// Ends both directions: the library sees it at once and closes the socket.
    func reap() {
        reapedValue.store(true, ordering: .relaxed)
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// How far the other side has left. Any thread, while the socket is open; of another
    /// connection perhaps, after that.
    package var departure: ConnectionDeparture {
        var request = pollfd(
            fd: descriptor, events: Int16(CMicroHTTPD_poll_read_hang_up), revents: 0)
        guard poll(&request, 1, 0) > 0 else { return .none }
        if request.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { return .gone }
        let readHangUp = Int16(CMicroHTTPD_poll_read_hang_up)
        return request.revents & readHangUp != 0 ? .halfClosed : .none
    }

    /// Ends both directions because the client has ended its own, and all of that has been read.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Whether all that will ever come has been read.
    var hasEnded: Bool { departure != .none && CMicroHTTPD_unread_bytes(descriptor) == 0 }

    /// Bytes that came in and that the other side has acknowledged; nil if it is not TCP.
    var traffic: (received: Int, acknowledged: Int)? {
        var received: UInt64 = 0
        var acknowledged: UInt64 = 0
        guard CMicroHTTPD_tcp_traffic(descriptor, &received, &acknowledged) else { return nil }
        return (Int(truncatingIfNeeded: received), Int(truncatingIfNeeded: acknowledged))
    }
}
