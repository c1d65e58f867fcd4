import Codecs
import Inference
import MicroHTTPD
import Operators

/// What is kept about every request until it is counted and logged.
///
/// Written by the connection's thread, then by the worker that finishes the call, then by the
/// connection's thread again: each hands it on through a lock.
final class RequestRecord {
    let startedNanoseconds = monotonicNanoseconds()
    let requestID: String
    /// Of the client's traceparent.
    let traceID: String?
    var route: Route?
    /// For POSTs whose body is being stored.
    var upload: Upload?
    /// Whether the whole request has arrived.
    var isComplete = false
    /// Whether it was left unanswered because its client had gone.
    var isAbandoned = false
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

    init(requestID: String, traceID: String?) {
        self.requestID = requestID
        self.traceID = traceID
    }

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

/// What the header of a POST said, and where its body goes.
final class Upload {
    let message: Message
    let requestCodec: any Codec
    let answerCodec: any Codec
    /// How the body is compressed.
    let coding: ContentCoding?
    /// When the answer is of no more use, on the monotonic clock.
    let deadlineNanoseconds: Int
    /// Holds memory for what decoding allocates.
    private let reservation: BufferPool.Reservation?

    init(
        _ message: Message, requestCodec: any Codec, answerCodec: any Codec,
        coding: ContentCoding?, deadlineNanoseconds: Int, reservation: BufferPool.Reservation?
    ) {
        self.message = message
        self.requestCodec = requestCodec
        self.answerCodec = answerCodec
        self.coding = coding
        self.deadlineNanoseconds = deadlineNanoseconds
        self.reservation = reservation
    }
}
