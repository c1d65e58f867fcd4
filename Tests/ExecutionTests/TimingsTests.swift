import Glibc
import Platform
import Testing

@testable import Execution

@Suite("Stages of a request")
struct TimingsTests {
    // Catches a search whose wait for a worker is forgotten when it waits for its own thread.
    @Test("a stage that comes twice takes as long as both")
    func twice() {
        var timings = Timings()
        timings.begin(at: MonotonicClock.now())
        usleep(20_000)
        timings.end(.queue)
        timings.end(.decode)
        usleep(1000)
        timings.end(.queue)
        #expect(timings[.queue] >= 21_000_000)
        #expect(timings[.decode] < timings[.queue])
    }
}
