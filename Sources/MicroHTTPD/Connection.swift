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

/// One open connection. Its epoll thread writes the phase, the reaper reads it.
///
/// Owned by the library's connection from NOTIFY_CONNECTION's start to its end; the reaper's table
/// lets it go before the library closes the socket.
final class Connection: @unchecked Sendable {
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
    /// The last target that was worth keeping. Its epoll thread's.
    private var lastTarget = Target.none

    init(descriptor: Int32, isEncrypted: Bool, now: Int) {
        self.descriptor = descriptor
        self.isEncrypted = isEncrypted
        stream = CMicroHTTPD_open_stream(descriptor, isEncrypted)
        openedNanoseconds = now
        // Who connects and says nothing has as long as for a header.
        phaseValue = Atomic(ConnectionPhase.header.rawValue)
        startedValue = Atomic(now)
    }

    /// Before the socket is closed: its number may be another's right after.
    func closeStream() { CMicroHTTPD_close_stream(stream) }

    /// The target that was received. Most of a connection's are the same: a text of its own, and
    /// looking at its bytes, took a fiftieth of a small request.
    func target(_ received: UnsafePointer<CChar>) -> Target {
        if lastTarget.isOf(received) { return lastTarget }
        let target = Target(String(cString: received))
        if target.isKept { lastTarget = target }
        return target
    }

    /// Whether something of another request has come than the one that was read last.
    var hasBegun: Bool { CMicroHTTPD_has_begun(stream) }

    /// Who asks for its begin, too, asks for this first: the begin is then this one's, or a later
    /// one's.
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

    /// Whether the other side has closed its end. Who only half-closes after a request counts as
    /// gone, too: the two cannot be told apart.
    var isGone: Bool {
        let hangUp = Int16(POLLHUP | POLLERR) | Int16(CMicroHTTPD_poll_read_hang_up)
        var request = pollfd(
            fd: descriptor, events: Int16(CMicroHTTPD_poll_read_hang_up), revents: 0)
        return poll(&request, 1, 0) > 0 && request.revents & hangUp != 0
    }

    /// Ends both directions because the client has ended its own, and all of that has been read.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Whether all that will ever come has been read.
    var hasEnded: Bool { isGone && CMicroHTTPD_unread_bytes(descriptor) == 0 }

    /// Bytes that came in and that the other side has acknowledged; nil if it is not TCP.
    var traffic: (received: Int, acknowledged: Int)? {
        var received: UInt64 = 0
        var acknowledged: UInt64 = 0
        guard CMicroHTTPD_tcp_traffic(descriptor, &received, &acknowledged) else { return nil }
        return (Int(truncatingIfNeeded: received), Int(truncatingIfNeeded: acknowledged))
    }
}
