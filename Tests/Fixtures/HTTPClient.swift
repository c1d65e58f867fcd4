import Glibc

/// An HTTP/1.1 client that sends exactly the bytes it is given: tests of a server's edges must not
/// depend on what a polite client would repair. Blocking; one connection; one thread at a time.
package final class HTTPClient: @unchecked Sendable {
    package struct Response {
        package let status: Int
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]

        /// The first header of this name, whatever its case.
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    package enum Failure: Error {
        case connect(Int32)
        /// The server closed the connection before a whole response came.
        case closed
        case timeout
        case notHTTP(String)
    }

    private var descriptor: Int32
    private var received: [UInt8] = []

    /// Connects to 127.0.0.1; reads give up after `timeoutSeconds`.
    package init(port: Int, timeoutSeconds: Int = 30) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if code != 0 { throw Failure.connect(errno) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Sends raw bytes; what the peer no longer takes is dropped.
    package func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    package func send(_ text: String) { send(Array(text.utf8)) }

    /// Half-closes: the server sees the end of our bytes.
    package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Breaks the connection: the server sees a reset.
    package func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close(descriptor)
        descriptor = -1
    }

    /// One request with Content-Length, one response.
    package func request(
        _ method: String, _ target: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) throws -> Response {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: test\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        send(Array((head + "\r\n").utf8) + (body ?? []))
        return try readResponse(hasBody: method != "HEAD")
    }

    /// POSTs JSON.
    package func post(_ target: String, json: String, headers: [(String, String)] = []) throws
        -> Response
    {
        try request(
            "POST", target, headers: [("Content-Type", "application/json")] + headers,
            body: Array(json.utf8))
    }

    /// Reads one response, skipping 100 Continue.
    package func readResponse(hasBody: Bool = true) throws -> Response {
        while true {
            let head = try readHead()
            let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
            let words = lines[0].split(separator: " ")
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
                throw Failure.notHTTP(String(lines[0].prefix(80)))
            }
            var headers: [(name: String, value: String)] = []
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                headers.append((String(line[..<colon]), String(value)))
            }
            if status == 100 { continue }
            var body: [UInt8] = []
            let length = headers.first { $0.name.lowercased() == "content-length" }
            if hasBody, let length, let count = Int(length.value) { body = try take(count) }
            return Response(status: status, headers: headers, body: body)
        }
    }

    /// Whether the server has closed the connection (waits for it up to the timeout).
    package func isClosedByServer() -> Bool {
        do {
            _ = try take(1)
            return false
        } catch Failure.closed {
            return true
        } catch {
            return false
        }
    }

    /// The same, waiting no longer than this; bytes that come are dropped.
    package func isClosed(withinMilliseconds milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, milliseconds) > 0 else { return false }
        var chunk = [UInt8](repeating: 0, count: 4096)
        return recv(descriptor, &chunk, chunk.count, 0) <= 0
    }

    /// Whether anything has arrived, or the server has closed.
    package func hasAnswer(withinMilliseconds milliseconds: Int32) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, milliseconds) > 0
    }

    private func readHead() throws -> String {
        var searched = 0
        while true {
            if received.count >= 4 {
                for i in searched..<max(searched, received.count - 3)
                where received[i] == 13 && received[i + 1] == 10 && received[i + 2] == 13
                    && received[i + 3] == 10
                {
                    let head = String(decoding: received[..<i], as: UTF8.self)
                    received.removeFirst(i + 4)
                    return head + "\r\n"
                }
                searched = received.count - 3
            }
            try fill()
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while received.count < count { try fill() }
        let bytes = Array(received[..<count])
        received.removeFirst(count)
        return bytes
    }

    private func fill() throws {
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count == 0 { throw Failure.closed }
        if count < 0 { throw errno == EAGAIN ? Failure.timeout : Failure.closed }
        received += chunk[..<count]
    }
}
