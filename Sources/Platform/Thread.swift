import Glibc

/// A POSIX thread of ours.
package struct Thread: Sendable {
    private let handle: pthread_t

    /// Who gets the processor when there is too little of it.
    package enum Priority: Sendable {
        case normal
        /// The lowest (nice 19): threads of normal priority hardly notice it.
        case background
    }

    /// Starts a thread that runs `body`. A system that has no thread to give is a reason to end.
    package init(_ priority: Priority = .normal, _ body: @escaping @Sendable () -> Void) {
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil, runThread, Unmanaged.passRetained(Body(priority, body)).toOpaque())
        precondition(code == 0, "pthread_create: \(code)")
        self.handle = handle
    }

    /// Waits until its body has returned. Once.
    package func join() { pthread_join(handle, nil) }

    /// The calling thread sleeps.
    package static func sleep(microseconds: UInt32) { usleep(microseconds) }

    fileprivate final class Body {
        private let priority: Priority
        private let body: @Sendable () -> Void

        init(_ priority: Priority, _ body: @escaping @Sendable () -> Void) {
            self.priority = priority
            self.body = body
        }

        func run() {
            // On Linux a nice value belongs to a thread; 0 is the calling one.
            if priority == .background {
                _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
            }
            body()
        }
    }
}

// A file-level let: a closure made in a MainActor context would trap on another thread.
private let runThread: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    guard let pointer = $0 else { return nil }
    Unmanaged<Thread.Body>.fromOpaque(pointer).takeRetainedValue().run()
    return nil
}
