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

/// Which file there is at a path.
private struct SocketFile: Equatable, Sendable {
    let path: String
    let device: UInt
    let number: UInt

    /// nil if there is none.
    init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.path = path
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
    }
}

/// A bound socket in the listening state. Closing it is the business of whoever takes it over.
package struct ListeningSocket: Sendable {
    package let descriptor: Int32
    /// The URL under which it is reached, with the port that was really taken.
    package let url: String
    /// Of a Unix socket.
    private var file: SocketFile?

    /// - Parameter port: 0 takes a free one.
    package static func tcp(
        host: String, port: Int, scheme: String = "http", backlog: Int32 = 1024
    ) throws(ListenError) -> ListeningSocket {
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
            Glibc.close(descriptor)
            throw .failed(address: name, operation: failed, errno: code)
        }
        let url = "\(scheme)://\(bracketed(host)):\(boundPort(descriptor) ?? port)"
        return ListeningSocket(descriptor: descriptor, url: url)
    }

    /// A Unix socket at `path`. One that nobody serves any more is replaced; one that is served, or
    /// another kind of file, is an error.
    ///
    /// - Parameter mode: permissions of the file, such as 0o660.
    package static func unix(path: String, mode: Int, backlog: Int32 = 1024) throws(ListenError)
        -> ListeningSocket
    {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path) - 1
        let name = "unix:\(path)"
        guard !path.isEmpty && path.utf8.count <= room else {
            throw .failed(
                address: name, operation: "a path of 1 to \(room) bytes", errno: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else {
            throw .failed(address: name, operation: "socket", errno: errno)
        }
        var status = stat()
        let isSocket = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
        if isSocket && connectUnix(address) == ECONNREFUSED { unlink(path) }
        // Nobody gets in before the permissions are right.
        let mask = umask(0o777)
        var failed = bindUnix(descriptor, address) ? nil : "bind"
        let code = errno
        umask(mask)
        if failed == nil && chmod(path, mode_t(mode)) != 0 { failed = "chmod" }
        if failed == nil && Glibc.listen(descriptor, backlog) != 0 { failed = "listen" }
        if let failed {
            Glibc.close(descriptor)
            throw .failed(address: name, operation: failed, errno: failed == "bind" ? code : errno)
        }
        return ListeningSocket(descriptor: descriptor, url: name, file: SocketFile(path))
    }

    private static func bindUnix(_ descriptor: Int32, _ address: sockaddr_un) -> Bool {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    /// 0, or errno.
    private static func connectUnix(_ address: sockaddr_un) -> Int32 {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return errno }
        defer { Glibc.close(probe) }
        return withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
            }
        }
    }

    /// Closes a socket that no daemon has taken over.
    package func close() {
        Glibc.close(descriptor)
        remove()
    }

    /// Removes a Unix socket's file, unless another has taken its place.
    func remove() {
        if let file, SocketFile(file.path) == file { unlink(file.path) }
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
