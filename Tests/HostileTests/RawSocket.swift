import Fixtures
import Glibc

/// A client socket whose every step a test decides: also the rude ones, which `HTTPClient` cannot
/// do. Blocking; one thread at a time.
final class RawSocket {
    enum Stop {
        case enough
        case closed
        case timeout
    }

    private let descriptor: Int32
    private var isOpen = true
    private(set) var received: [UInt8] = []

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // A server that neither reads nor closes must not hold the test for ever.
        var timeout = timeval(tv_sec: 2, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        var yes: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes,
            socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if code != 0 { throw HTTPClient.Failure.connect(errno) }
    }

    deinit { if isOpen { close(descriptor) } }

    /// Sends all, in packets of this size; what the peer no longer takes is dropped.
    func send(_ bytes: [UInt8], packetBytes: Int = .max) {
        var sent = 0
        while sent < bytes.count {
            let size = min(packetBytes, bytes.count - sent)
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, size, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    /// The peer reads our end, and may still answer.
    func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

    func leave() {
        close(descriptor)
        isOpen = false
    }

    /// Closes with RST: the peer's next read or write fails.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger,
            socklen_t(MemoryLayout<Glibc.linger>.size))
        leave()
    }

    /// Reads until there is enough, the end, or `milliseconds` have passed.
    func read(_ milliseconds: Int32, until isEnough: ([UInt8]) -> Bool = { _ in false }) -> Stop {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let deadline = Self.now() + Int(milliseconds)
        while !isEnough(received) {
            var descriptors = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let rest = deadline - Self.now()
            if rest <= 0 || poll(&descriptors, 1, Int32(rest)) == 0 { return .timeout }
            let count = recv(descriptor, &chunk, chunk.count, 0)
            // An RST behind the last answer ends a connection, too; Linux still hands out the
            // bytes that came before it.
            if count <= 0 { return .closed }
            received += chunk[..<count]
        }
        return .enough
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
