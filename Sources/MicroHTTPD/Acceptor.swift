import CMicroHTTPD
import Glibc
import Platform
import Synchronization

/// Accepts connections and deals them out to a daemon's threads in turn.
///
/// The library's threads would accept by themselves, but the first to wake up takes up to ten at
/// once: few clients, who all came at the same time, had one thread and left the others idle.
///
/// Lifecycle: `start`, then `stop`, once each; `released` from any thread.
final class Acceptor: @unchecked Sendable {
    private let descriptor: Int32
    private let connectionsMax: Int
    private let isStopping = Atomic<Bool>(false)
    /// A pipe, whose writing end is closed when the thread is to end.
    private let ending: [Int32]
    /// Places for further connections; clients beyond wait in the backlog.
    private let places = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let thread = Lock<[Thread]>([])

    /// Without a descriptor, or memory for one, the next attempt is this far away.
    private static let retryMicroseconds: UInt32 = 10_000

    /// - Parameter descriptor: a listening socket, which `stop` closes.
    init(_ descriptor: Int32, connectionsMax: Int) {
        self.descriptor = descriptor
        self.connectionsMax = connectionsMax
        // A client may be gone before it is accepted.
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        var ends: [Int32] = [-1, -1]
        let code = pipe(&ends)
        precondition(code == 0, "no pipe for the acceptor")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        ending = ends
        sem_init(places, 0, UInt32(connectionsMax))
    }

    deinit {
        sem_destroy(places)
        places.deallocate()
        close(ending[0])
    }

    /// A pointer that another thread may have.
    private struct DaemonHandle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// - Parameter daemon: without a listening socket of its own.
    func start(for daemon: OpaquePointer) {
        let daemon = DaemonHandle(pointer: daemon)
        thread.withLock { $0 = [Thread { [self] in run(daemon.pointer) }] }
    }

    /// A connection of the daemon's has ended.
    func released() { sem_post(places) }

    /// Takes those who are in the backlog, and closes the socket.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        // Wakes up whoever waits for a client, or for a place.
        close(ending[1])
        sem_post(places)
        for thread in thread.withLock({ $0 }) { thread.join() }
    }

    /// Connections that were accepted and are not closed, after `stop`. The library hears of a new
    /// one later.
    var openCount: Int {
        var free: Int32 = 0
        sem_getvalue(places, &free)
        return connectionsMax + 1 - Int(free)
    }

    private func run(_ daemon: OpaquePointer) {
        while !isStopping.load(ordering: .relaxed) {
            if sem_wait(places) != 0 { continue }
            wait()
            if !acceptOne(daemon) { released() }
        }
        // Whoever has connected has sent a request, perhaps.
        while sem_trywait(places) == 0 {
            if acceptOne(daemon) { continue }
            released()
            break
        }
        // At once: who comes in between is cut off.
        close(descriptor)
    }

    /// Until there is a client, or the end.
    private func wait() {
        var waited = [descriptor, ending[0]].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        poll(&waited, nfds_t(waited.count), -1)
    }

    /// Whether a connection holds its place now.
    private func acceptOne(_ daemon: OpaquePointer) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isAdded = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Bool? in
                let client = CMicroHTTPD_accept(descriptor, address, &length)
                // The library closes it where it says no.
                return client < 0
                    ? nil : MHD_add_connection(daemon, client, address, length) == .YES
            }
        }
        if isAdded == nil && [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) {
            usleep(Self.retryMicroseconds)
        }
        return isAdded ?? false
    }
}
