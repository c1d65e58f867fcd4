import Glibc
import Platform

/// SIGTERM and SIGINT as values instead of interruptions.
package enum Signals {
    /// Call before any thread is started: they all inherit the mask.
    package static func block() {
        var set = terminationSignals()
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits until someone asks the process to end; returns the signal's number.
    package static func waitForTermination() -> Int32 {
        var set = terminationSignals()
        var number: Int32 = 0
        while sigwait(&set, &number) != 0 {}
        return number
    }

    /// From here on the next one ends the process at once, with the status that shells know.
    package static func endAtNext(_ say: @escaping @Sendable (Int32) -> Void) {
        _ = Thread {
            let number = waitForTermination()
            say(number)
            _exit(128 + number)
        }
    }

    private static func terminationSignals() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }
}
