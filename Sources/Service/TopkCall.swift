import Codecs
import Inference
import MicroHTTPD
import Operators

/// One POST on its way through the pool: the exchange on one side, the codecs on the other.
final class TopkCall: Call, @unchecked Sendable {
    /// Where the reply goes from another thread; nil when the call runs on the exchange's own.
    private let exchange: Exchange?
    /// Until it is delivered; of a call without an exchange, for whoever made it.
    private(set) var reply: Reply?
    private let record: RequestRecord
    /// nil once nothing of the body is needed.
    private var upload: Upload?
    private let answerCodec: any Codec
    private let state: ServiceState
    let deadlineNanoseconds: Int
    /// Memory for decoding what a compressed body has become.
    private var reservation: BufferPool.Reservation?
    /// Memory for what computing takes.
    private var computingReservation: BufferPool.Reservation?

    init(
        _ exchange: Exchange?, _ record: RequestRecord, _ upload: Upload, _ state: ServiceState
    ) {
        self.exchange = exchange
        self.record = record
        self.state = state
        self.upload = upload
        answerCodec = upload.answerCodec
        deadlineNanoseconds = upload.deadlineNanoseconds
    }

    var isAbandoned: Bool { exchange?.isAbandoned ?? false }

    func abandon() {
        record.isAbandoned = true
        state.metrics.cancelled.add(1, "queue")
        // The library needs a reply to end the request; who has only half-closed can read it.
        let problem = Problem(
            .clientGone,
            "the client closed its end of the connection before the answer was computed")
        finish(state.refuse(problem, record))
    }

    func decode(_ worker: Worker) throws(ServiceError) -> InferenceRequest {
        guard let readsInPlace = upload?.requestCodec.readsInPlace else {
            preconditionFailure("a call is decoded before it is answered")
        }
        let request = try read(worker)
        if !readsInPlace {
            // The numbers are elsewhere by now: the answer needs the room.
            record.upload = nil
            upload = nil
            reservation = nil
        }
        let computing = request.form.computingBytes
        if computing > 0 {
            computingReservation = state.buffers.reserve(byteCount: computing)
            if computingReservation == nil {
                let limit = state.buffers.budgetBytes - request.heldBytes
                throw computing > limit
                    ? .answerTooLarge(byteCount: computing, limit: max(0, limit))
                    : .overloaded(.bytes)
            }
        }
        record.summary = request.form.summary
        return request
    }

    /// A function of its own, so that the upload and its body are let go before more is reserved.
    private func read(_ worker: Worker) throws(ServiceError) -> InferenceRequest {
        guard let upload else { preconditionFailure("a call is decoded before it is answered") }
        let codec = upload.requestCodec
        guard let coding = upload.coding else {
            return try codec.decode(upload.message, worker, state.buffers)
        }
        let message = upload.message
        let body = try coding.inflate(
            message.body, limit: state.limits.bodyBytesMax, paddingBytes: codec.paddingBytes,
            state.buffers
        ) { [deadlineNanoseconds] in monotonicNanoseconds() > deadlineNanoseconds }
        let working = codec.workingBytes(bodyBytes: body.count)
        reservation = state.buffers.reserve(byteCount: working)
        if reservation == nil {
            // With the compressed body, which is held until the answer, it may never fit.
            let isHopeless = !state.buffers.canEverHold(
                byteCount: body.capacity, beside: working + message.body.capacity)
            throw isHopeless
                ? .inflatedBodyTooLarge(limit: body.count / 2) : .overloaded(.bytes)
        }
        return try codec.decode(
            Message(direction: message.direction, body: body, query: message.query), worker,
            state.buffers)
    }

    func succeed(_ result: InferenceResult, _ timings: Timings) throws(ServiceError) {
        var timings = timings
        let started = monotonicNanoseconds()
        let body = try answerCodec.encode(result, state.buffers)
        let ended = monotonicNanoseconds()
        timings[.encode] = ended - started
        timings[.total] = ended - record.startedNanoseconds
        state.metrics.record(result)
        state.metrics.record(timings, result.request.form)
        record.timings = timings
        record.nnz = result.nonzeroCount

        let reply = Reply(status: 200, body: body.bytes, owner: body)
        reply.add("Content-Type", answerCodec.mediaType)
        answerCodec.headers(of: result) { name, value in reply.add(name, value) }
        timings.withServerTiming { reply.add("Server-Timing", $0) }
        reply.add("X-Request-Id", record.requestID)
        finish(reply)
    }

    func fail(_ error: ServiceError, _ request: InferenceRequest?, _ timings: Timings) {
        var timings = timings
        timings[.total] = monotonicNanoseconds() - record.startedNanoseconds
        if let request { state.metrics.record(timings, request.form) }
        record.timings = timings
        let reply = state.refuse(Problem(error), record)
        timings.withServerTiming { reply.add("Server-Timing", $0) }
        finish(reply)
    }

    /// Keeps the answer, and nothing else: a slow reader of it must not hold the body's memory.
    private func finish(_ reply: Reply) {
        record.upload = nil
        upload = nil
        reservation = nil
        computingReservation = nil
        record.answerBytes = reply.byteCount
        self.reply = reply
    }

    func deliver() {
        guard let exchange, let reply else { return }
        self.reply = nil
        exchange.complete(consume reply)
    }
}
