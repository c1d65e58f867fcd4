import Glibc

/// A POSIX thread of ours.
package struct Thread: Sendable {
    private let handle: pthread_t

    /// Who gets the processor when there is too little of it.
    package enum Priority: Sendable {
        case normal
        /// What other threads leave over (SCHED_IDLE): they take the processor from it as soon as
        /// they have work. With nice 19 they waited for the scheduler's tick, 4 ms, at times.
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

        /// SCHED_IDLE, which Swift does not see.
        private static let idlePolicy: Int32 = 5

        func run() {
            if priority == .background {
                var parameters = sched_param()
                // On Linux a policy belongs to a thread; 0 is the calling one.
                sched_setscheduler(0, Self.idlePolicy, &parameters)
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
