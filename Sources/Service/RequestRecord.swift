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
    var summary: Summary?

    /// What a computed request was.
    struct Summary {
        let operatorName: String
        let direction: Direction
        let rows: Int
        let n: Int
        let dtype: DType
        /// The first row's.
        let k: Double?
        var nnz: Int?

        init(_ form: RequestForm) {
            operatorName = form.operatorName
            direction = form.direction
            rows = form.rowCount
            n = form.rowLength
            dtype = form.dtype
            k =
                switch form.parameters.value(named: "k") {
                case .integers(let values): values.first.map { Double($0) }
                case .numbers(let values): values.first
                default: nil
                }
        }
    }

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
    let direction: Direction
    let requestCodec: any Codec
    let answerCodec: any Codec
    let query: Query
    let body: RawBuffer
    /// What looks at the body while it arrives.
    let arrival: ArrivalCheck?
    /// How the body is compressed.
    let coding: ContentCoding?
    /// When the answer is of no more use, on the monotonic clock.
    let deadlineNanoseconds: Int
    /// Holds memory for what decoding allocates.
    private let reservation: BufferPool.Reservation?

    init(
        direction: Direction, requestCodec: any Codec, answerCodec: any Codec, query: Query,
        body: RawBuffer, arrival: ArrivalCheck?, coding: ContentCoding?, deadlineNanoseconds: Int,
        reservation: BufferPool.Reservation?
    ) {
        self.direction = direction
        self.requestCodec = requestCodec
        self.answerCodec = answerCodec
        self.query = query
        self.body = body
        self.arrival = arrival
        self.coding = coding
        self.deadlineNanoseconds = deadlineNanoseconds
        self.reservation = reservation
    }
}
