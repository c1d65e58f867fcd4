import Glibc

/// A value behind a pthread mutex, with a condition to wait on. Not Synchronization's Mutex:
/// ThreadSanitizer does not see its futex, and reports each access as a race.
package final class Lock<Value>: @unchecked Sendable {
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    package init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with the value; no other thread has it meanwhile.
    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }

    /// Runs `body` under the lock until it returns something other than nil, and waits for the
    /// condition in between.
    package func wait<Result>(
        for condition: Condition, _ body: (inout Value) -> Result?
    ) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            condition.wait(mutex)
        }
    }

    /// The same until `deadline` on the monotonic clock, in nanoseconds; nil when that has passed.
    package func wait<Result>(
        for condition: Condition, until deadline: Int, _ body: (inout Value) -> Result?
    ) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            if !condition.wait(mutex, until: deadline) { return body(&value) }
        }
    }
}

/// What threads wait for: a pthread condition on the monotonic clock.
package final class Condition: @unchecked Sendable {
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Wakes one thread that waits.
    package func signal() { pthread_cond_signal(condition) }

    /// Wakes all threads that wait.
    package func broadcast() { pthread_cond_broadcast(condition) }

    fileprivate func wait(_ mutex: UnsafeMutablePointer<pthread_mutex_t>) {
        pthread_cond_wait(condition, mutex)
    }

    /// False when the deadline has passed.
    fileprivate func wait(
        _ mutex: UnsafeMutablePointer<pthread_mutex_t>, until deadline: Int
    ) -> Bool {
        var time = timespec(tv_sec: deadline / 1_000_000_000, tv_nsec: deadline % 1_000_000_000)
        return pthread_cond_timedwait(condition, mutex, &time) == 0
    }
}
