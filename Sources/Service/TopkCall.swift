import Codecs
import Inference
import MicroHTTPD
import Operators

/// One POST on its way through the pool: the exchange on one side, the codecs on the other.
final class TopkCall: Call, @unchecked Sendable {
    /// Where the reply goes from another thread; nil when the call runs on the exchange's own.
    private let exchange: Exchange?
    /// The reply of a call without an exchange.
    private(set) var reply: Reply?
    private let record: RequestRecord
    /// nil once the answer is made.
    private var message: Message?
    private let requestCodec: any Codec
    private let answerCodec: any Codec
    private let state: ServiceState

    init(
        _ exchange: Exchange?, _ record: RequestRecord, _ upload: Upload, _ state: ServiceState
    ) {
        self.exchange = exchange
        self.record = record
        self.state = state
        requestCodec = upload.requestCodec
        answerCodec = upload.answerCodec
        message = Message(direction: upload.direction, body: upload.body, query: upload.query)
    }

    func decode(_ worker: Worker) throws(ServiceError) -> InferenceRequest {
        guard let message else { preconditionFailure("a call is decoded once") }
        return try requestCodec.decode(message, worker, state.buffers)
    }

    func succeed(_ result: InferenceResult, _ timings: Timings) {
        var timings = timings
        let started = monotonicNanoseconds()
        let answer = answerCodec.encode(result, state.buffers)
        let ended = monotonicNanoseconds()
        timings[.encode] = ended - started
        timings[.total] = ended - record.startedNanoseconds
        state.metrics.record(result)
        state.metrics.record(timings, result.request)

        var reply = Reply(status: 200)
        reply.add("Content-Type", answerCodec.mediaType)
        for header in answer.headers { reply.add(header.name, header.value) }
        reply.add("Server-Timing", timings.serverTiming)
        reply.add("X-Request-Id", record.requestID)
        reply.setBody(answer.body.bytes, owner: answer.body)
        deliver(reply)
    }

    func fail(_ error: ServiceError, _ request: InferenceRequest?, _ timings: Timings) {
        var timings = timings
        timings[.total] = monotonicNanoseconds() - record.startedNanoseconds
        if let request { state.metrics.record(timings, request) }
        var reply = state.refuse(Problem(error), record)
        reply.add("Server-Timing", timings.serverTiming)
        deliver(reply)
    }

    private func deliver(_ reply: Reply) {
        // The body has been used: a slow reader of the answer must not hold its memory.
        record.upload = nil
        message = nil
        if let exchange {
            exchange.complete(reply)
        } else {
            self.reply = reply
        }
    }
}

/// What the header of a POST said, and where its body goes.
final class Upload {
    let direction: Direction
    let requestCodec: any Codec
    let answerCodec: any Codec
    let query: [QueryItem]
    let body: RawBuffer
    /// Holds memory for what decoding allocates.
    private let reservation: BufferPool.Reservation?

    init(
        direction: Direction, requestCodec: any Codec, answerCodec: any Codec, query: [QueryItem],
        body: RawBuffer, reservation: BufferPool.Reservation?
    ) {
        self.direction = direction
        self.requestCodec = requestCodec
        self.answerCodec = answerCodec
        self.query = query
        self.body = body
        self.reservation = reservation
    }
}

/// What is kept about every request until it is counted.
final class RequestRecord {
    let startedNanoseconds = monotonicNanoseconds()
    let requestID: String
    var route: Route?
    /// For POSTs whose body is being stored.
    var upload: Upload?
    /// Whether the whole request has arrived.
    var isComplete = false

    init(requestID: String) { self.requestID = requestID }
}
