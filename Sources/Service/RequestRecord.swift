import Codecs
import Inference
import MicroHTTPD
import Operators

/// One request, from its header to its line in the log; of a POST, also its way through the pool
/// (RequestCall.swift). One object: each further one was made, counted and freed with every
/// request.
///
/// Written by the connection's thread, then by the worker that finishes the call, then by the
/// connection's thread again: each hands it on through a lock.
final class RequestRecord: @unchecked Sendable {
    let state: ServiceState
    let startedNanoseconds = monotonicNanoseconds()
    let requestID: String
    /// Of the client's traceparent.
    let traceID: String?
    /// nil until the header has been read.
    var target: RequestTarget?
    /// Of a POST whose body is being stored, or waits to be decoded.
    var upload: Upload?
    /// What it became on the connection's thread, where a worker is to compute it.
    var decoded: InferenceRequest?
    /// Of a POST.
    var answerCodec: (any Codec.Type)?
    /// When the answer is of no more use, on the monotonic clock.
    var deadlineNanoseconds = Int.max
    /// Where the reply goes from another thread; nil when the call runs on the exchange's own.
    var exchange: Exchange?
    /// Until the exchange is over: what is written to once more then.
    var answer: SentAnswer?
    /// Until it is delivered; of a call without an exchange, for whoever made it.
    var reply: Reply?
    /// Memory for decoding what a compressed body has become.
    var reservation: BufferPool.Reservation?
    /// Memory for what computing takes.
    var computingReservation: BufferPool.Reservation?
    /// Whether it was left unanswered because its client had gone.
    var wasAbandoned = false
    var bodyBytes = 0
    /// "json", or "json>octet_stream" where they differ.
    var codecs: String?
    /// The code of the error that it was answered with.
    var problem: ProblemCode?
    var answerBytes = 0
    var timings: Timings?
    /// What a decoded request was.
    var summary: RequestSummary?
    /// Stored numbers of the answer.
    var nnz: Int?

    init(_ state: ServiceState, requestID: String, traceID: String?) {
        self.state = state
        self.requestID = requestID
        self.traceID = traceID
    }

    /// nil for a path that is nobody's.
    var route: Route? { target?.route }

    /// The trace id of a W3C traceparent: 00-<32 hex digits>-<16>-<2>; nil of anything else.
    static func traceID(_ header: String?) -> String? {
        guard let parts = header?.split(separator: "-", omittingEmptySubsequences: false),
            parts.count >= 4, parts[0].utf8.count == 2, parts[1].utf8.count == 32,
            parts[2].utf8.count == 16, parts[1].contains(where: { $0 != "0" }),
            parts[1].utf8.allSatisfy({ ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) })
        else { return nil }
        return String(parts[1])
    }
}

/// What the header of a POST said, and where its body goes. Moved, not copied: a copy would retain
/// each of its parts.
struct Upload: ~Copyable {
    let message: Message
    let codec: any Codec.Type
    /// How the body is compressed.
    let coding: ContentCoding?
    /// Holds memory for what decoding allocates, if anything.
    let reservation: BufferPool.Reservation?
}
