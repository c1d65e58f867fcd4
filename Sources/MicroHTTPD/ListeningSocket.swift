import Glibc

/// Why a socket could not listen.
package enum ListenError: Error, CustomStringConvertible {
    case unknownHost(String, reason: String)
    case failed(address: String, operation: String, errno: Int32)

    package var description: String {
        switch self {
        case .unknownHost(let host, let reason): "cannot resolve host '\(host)': \(reason)"
        case .failed(let address, let operation, let code):
            "cannot listen on \(address): \(operation): \(String(cString: strerror(code)))"
        }
    }
}

/// A bound TCP socket in the listening state. Closing it is the business of whoever takes it over.
package struct ListeningSocket: Sendable {
    package let descriptor: Int32
    /// The URL under which it is reached, with the port that was really taken.
    package let url: String

    /// - Parameter port: 0 takes a free one.
    package static func tcp(host: String, port: Int, backlog: Int32 = 1024) throws(ListenError)
        -> ListeningSocket
    {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        guard code == 0, let address = found else {
            throw .unknownHost(host, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(found) }
        let name = "\(bracketed(host)):\(port)"
        let descriptor = socket(
            address.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0
        )
        guard descriptor >= 0 else {
            throw .failed(address: name, operation: "socket", errno: errno)
        }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var failed: String?
        if bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) != 0 {
            failed = "bind"
        } else if listen(descriptor, backlog) != 0 {
            failed = "listen"
        }
        if let failed {
            let code = errno
            close(descriptor)
            throw .failed(address: name, operation: failed, errno: code)
        }
        let url = "http://\(bracketed(host)):\(boundPort(descriptor) ?? port)"
        return ListeningSocket(descriptor: descriptor, url: url)
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }

    private static func boundPort(_ descriptor: Int32) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { return nil }
        // sin_port and sin6_port lie at the same offset.
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
    }
}
