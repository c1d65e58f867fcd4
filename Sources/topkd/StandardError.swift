import Glibc

/// Where the log goes.
enum StandardError {
    /// Says a line that is no line of the log: there is no logger yet.
    static func say(_ line: String) {
        _ = (line + "\n").withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    /// A pipe that nobody reads fills up, and who writes then waits: all threads of the service,
    /// and its end. Lines that do not fit are lost instead. Files and terminals are left as they
    /// are.
    static func neverWait() {
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFIFO || kind == S_IFSOCK else { return }
        let flags = fcntl(STDERR_FILENO, F_GETFL)
        if flags >= 0 { _ = fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK) }
    }
}
