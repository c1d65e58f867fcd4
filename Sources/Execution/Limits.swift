/// Every limit of the service, with its unit in its name. Those that a flag sets are its defaults;
/// each is described in docs/OPERATIONS.md and crossed by a test.
package struct Limits: Sendable {
    /// A larger Content-Length is refused before a byte of body is read.
    package var bodyBytesMax = 256 << 20
    /// Memory for bodies, decoded numbers and replies of all requests together.
    package var inflightBytesMax = 1 << 30
    /// Requests that wait for a worker; one more is refused.
    package var queueDepthMax = 256
    /// Connections; far above the queue's depth, because at this limit clients hang unanswered.
    package var connectionsMax = 4096
    /// A connection without traffic is closed after this time.
    package var connectionTimeoutSeconds = 60
    /// From a header's first byte to its last.
    package var headerTimeoutSeconds = 8
    /// A connection ends when less than `stallBytes` of its body, or answer, moved in this time.
    package var stallTimeoutSeconds = 8
    /// From the header to the answer: waiting and computing.
    package var requestTimeoutSeconds = 60
    /// After SIGTERM, everything is answered as before for this long (but for /readyz), so that
    /// load balancers can turn away.
    package var drainDelaySeconds = 0
    /// Answers of connections that are older close them; 0: never.
    package var connectionAgeMaxSeconds = 0
    /// After SIGTERM, accepted requests have this long to finish.
    package var drainTimeoutSeconds = 30
    /// Threads that compute.
    package var workers = 2
    /// Threads that read and write sockets.
    package var ioThreads = 2
    /// How long each of these looks for more before it sleeps, after a sleep that was short: being
    /// woken takes longer than a small request. 0: never.
    package var busyPollMicroseconds = 200

    package init() {}

    /// Columns of a row: indices are int32 inside.
    package static let rowLengthMax = Int(Int32.max)
    /// Bytes of x and its cotangents or tangents together: keeps every product of sizes in 64 bits.
    package static let numbersBytesMax = 1 << 40
    /// Cotangents, or tangents, in one request.
    package static let cotangentsMax = 65_536
    /// Words in one list, such as wrt.
    package static let wordsMax = 16
    /// Values of a document, beside the numbers in lists of numbers.
    package static let documentValuesMax = 65_536
    /// See `stallTimeoutSeconds`.
    package static let stallBytes = 64 << 10
    /// What a client may ask for in Topk-Timeout-Ms.
    package static let clientTimeoutMillisecondsMax = 86_400_000
    /// A query string is refused above this.
    package static let queryBytesMax = 1 << 14
    /// Parameters of one query, far more than there are.
    package static let queryItemsMax = 64
    /// A refused request's body up to this size is read and forgotten, which keeps the connection.
    package static let discardBytesMax = 1 << 20
    /// What a 503 asks clients to wait.
    package static let retryAfterSeconds = 1
    /// Numbers of one block of rows: small enough for a worker's cache and to share a batch evenly,
    /// large enough that handing it over costs little beside it.
    package static let blockElements = 1 << 16
    /// How long connections that are open at SIGTERM are still served as before.
    package static let drainGraceMicroseconds: UInt32 = 200_000
    /// A body up to this size is computed on the thread that received it, if a worker is idle
    /// anyway: two thread switches cost more than the work (38k against 44k requests/s or more).
    package static let inlineBodyBytesMax = 8192
    /// A raw body from this size on is looked at while it arrives.
    package static let observedBodyBytesMin = 65_536
    /// Recycled buffers above this are given back to the system.
    package static let idleBufferBytesMax = 128 << 20
    /// Buffers from this size on are mapped (Allocator.swift): a fresh one's pages come one by one,
    /// 26 ms for 64 MB.
    package static let mappedBufferBytesMin = 256 << 10
    /// The JSON parser of a larger body is not kept.
    package static let keptScratchBodyBytesMax = 4 << 20
    /// A JSON body may need this many bytes beside itself: simdjson's index takes up to 4 a byte,
    /// and "0," becomes a float64: 4 a byte again.
    package static let jsonWorkingBytesPerBodyByte = 8
    /// simdjson reads (and ignores) this many bytes past the end.
    package static let bodyPaddingBytes = 64
}
