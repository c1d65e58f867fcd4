import CMicroHTTPD
import Glibc
import Synchronization

/// Accepts connections and deals them out to a daemon's threads in turn.
///
/// The library's threads would accept by themselves, but the first to wake up takes up to ten at
/// once: few clients, who all came at the same time, had one thread and left the others idle.
///
/// Lifecycle: `start`, then `stop`, once each; `released` from any thread.
final class Acceptor: @unchecked Sendable {
    private let descriptor: Int32
    private let isStopping = Atomic<Bool>(false)
    /// Places for further connections; clients beyond wait in the backlog.
    private let places = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private var daemon: OpaquePointer?
    private var thread = pthread_t()

    /// Without a descriptor, or memory for one, the next attempt is this far away.
    private static let retryMicroseconds: UInt32 = 10_000

    /// - Parameter descriptor: a listening socket, which `stop` closes.
    init(_ descriptor: Int32, connectionsMax: Int) {
        self.descriptor = descriptor
        sem_init(places, 0, UInt32(connectionsMax))
    }

    deinit {
        sem_destroy(places)
        places.deallocate()
    }

    /// - Parameter daemon: without a listening socket of its own.
    func start(for daemon: OpaquePointer) {
        self.daemon = daemon
        let box = Unmanaged.passRetained(self)
        let code = pthread_create(&thread, nil, runAcceptor, box.toOpaque())
        precondition(code == 0, "no thread for the acceptor")
    }

    /// A connection of the daemon's has ended.
    func released() { sem_post(places) }

    /// Closes the socket: those in its backlog are refused.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        // Wakes up whoever waits for a client, or for a place.
        shutdown(descriptor, Int32(SHUT_RDWR))
        sem_post(places)
        pthread_join(thread, nil)
        close(descriptor)
    }

    fileprivate func run() {
        while !isStopping.load(ordering: .relaxed) {
            if sem_wait(places) != 0 { continue }
            if !acceptOne() { released() }
        }
    }

    /// Whether a connection holds its place now.
    private func acceptOne() -> Bool {
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

private func runAcceptor(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let box else { return nil }
    Unmanaged<Acceptor>.fromOpaque(box).takeRetainedValue().run()
    return nil
}
