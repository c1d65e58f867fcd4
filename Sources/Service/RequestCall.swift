import Codecs
import Inference
import MicroHTTPD
import Operators

/// A POST on its way through the pool: the exchange on one side, the codecs on the other.
extension RequestRecord: Call {
    /// The body is here, if there is one that is to be computed (nil if there is none): whether it
    /// is as long as it looks.
    func bodyIsComplete(byteCount: Int) -> Bool? {
        guard let upload = upload.take() else { return nil }
        let isPlain = upload.coding == nil
        upload.message.body.count = byteCount
        state.countRequest(upload.codec)
        self.upload = consume upload
        return isPlain
    }

    var isAbandoned: Bool { exchange?.isAbandoned ?? false }

    /// Holds nothing but the request: one reference is a closure's context, two are memory of its
    /// own.
    var cancellation: Cancellation {
        Cancellation { [self] in
            state.isAborted || monotonicTickNanoseconds() > deadlineNanoseconds
        }
    }

    func abandon() {
        wasAbandoned = true
        state.metrics.cancelled.add(1, "queue")
        // The library needs a reply to end the request; who has only half-closed can read it.
        let problem = Problem(
            .clientGone,
            "the client closed its end of the connection before the answer was computed")
        finish(state.refuse(problem, self))
    }

    func decode(_ worker: Worker) throws(ServiceError) -> InferenceRequest {
        if let request = decoded.take() { return request }
        // Moved out: reading it where others could write it would retain all its parts. When it
        // ends, the numbers are elsewhere, or the request has the body.
        guard let upload = upload.take() else {
            preconditionFailure("a call is decoded before it is answered")
        }
        let request = try read(consume upload, worker)
        let computing = request.form.computingBytes
        if computing > 0 { try reserve(computing, request) }
        summary = request.form.summary
        // Who turns out to be long goes on with a worker.
        if exchange == nil && !request.form.isQuick { decoded = request }
        return request
    }

    private func reserve(_ computing: Int, _ request: InferenceRequest) throws(ServiceError) {
        computingReservation = state.buffers.reserve(byteCount: computing)
        if computingReservation != nil { return }
        let limit = state.buffers.budgetBytes - request.heldBytes
        throw computing > limit
            ? .answerTooLarge(byteCount: computing, limit: max(0, limit)) : .overloaded(.bytes)
    }

    private func read(
        _ upload: consuming Upload, _ worker: Worker
    ) throws(ServiceError) -> InferenceRequest {
        guard let coding = upload.coding else {
            return try state.decode(upload, worker)
        }
        let (message, codec) = (upload.message, upload.codec)
        let body = try coding.inflate(
            message.body, limit: state.limits.bodyBytesMax, paddingBytes: codec.paddingBytes,
            state.buffers
        ) { [deadlineNanoseconds] in monotonicNanoseconds() > deadlineNanoseconds }
        let working = codec.workingBytes(bodyBytes: body.count)
        reservation = state.buffers.reserve(byteCount: working)
        if reservation == nil {
            // With the compressed body, which is held meanwhile, it may never fit.
            let isHopeless = !state.buffers.canEverHold(
                byteCount: body.capacity, beside: working + message.body.capacity)
            throw isHopeless
                ? .inflatedBodyTooLarge(limit: body.count / 2) : .overloaded(.bytes)
        }
        let request = try codec.decode(
            Message(direction: message.direction, body: body, query: message.query), worker,
            state.buffers)
        if !codec.readsInPlace { reservation = nil }
        return request
    }

    func succeed(_ result: borrowing InferenceResult, _ timings: Timings) throws(ServiceError) {
        guard let answerCodec else { preconditionFailure("a POST has a codec for its answer") }
        var timings = timings
        let answer = try state.encode(result, answerCodec)
        timings.end(.encode)
        timings[.total] = timings.lastNanoseconds - startedNanoseconds
        state.count(result, timings)
        self.timings = timings
        nnz = result.nonzeroCount

        let reply = answer.reply(answerCodec, result)
        timings.withServerTiming { reply.set("Server-Timing", $0) }
        requestID.withCString { reply.set("X-Request-Id", $0) }
        if answer.canBeKept { self.answer = answer }
        finish(reply)
    }

    func fail(_ error: ServiceError, _ request: InferenceRequest?, _ timings: Timings) {
        var timings = timings
        timings[.total] = monotonicNanoseconds() - startedNanoseconds
        if let request { state.metrics.record(timings, request.form) }
        self.timings = timings
        let reply = state.refuse(Problem(error), self)
        timings.withServerTiming { reply.add("Server-Timing", $0) }
        finish(reply)
    }

    /// Keeps the answer, and nothing else: a slow reader of it must not hold the body's memory.
    private func finish(_ reply: consuming Reply) {
        upload = nil
        decoded = nil
        reservation = nil
        computingReservation = nil
        answerBytes = reply.byteCount
        self.reply = reply
    }

    func deliver() {
        guard let exchange = exchange.take(), let reply = reply.take() else { return }
        exchange.complete(consume reply)
    }
}

// Functions of this object because a call on a part of a part retains that part.
extension ServiceState {
    /// What is to be decoded when `byteCount` bytes are here: takes memory for them.
    func upload(
        _ direction: Direction, _ target: RequestTarget, byteCount: Int, _ codec: any Codec.Type,
        _ coding: ContentCoding?
    ) throws(ServiceError) -> Upload {
        let query = try target.query.get()
        let working = codec.workingBytes(bodyBytes: byteCount)
        guard let body = buffers.take(byteCount: byteCount + codec.paddingBytes) else {
            throw .overloaded(.bytes)
        }
        let reservation = working == 0 ? nil : buffers.reserve(byteCount: working)
        if working > 0 && reservation == nil { throw .overloaded(.bytes) }
        var message = Message(direction: direction, body: body, query: query)
        if coding == nil {
            message.arrival = codec.arrivalCheck(message, byteCount: byteCount, buffers)
        }
        return Upload(message: message, codec: codec, coding: coding, reservation: reservation)
    }

    /// Refuses a body that the byte budget could never hold.
    func checkBudget(byteCount: Int, _ codec: any Codec.Type) throws(HeaderRefusal) {
        let working = codec.workingBytes(bodyBytes: byteCount)
        if buffers.canEverHold(byteCount: byteCount + codec.paddingBytes, beside: working) {
            return
        }
        // What surely fits: buffers are powers of two, at most twice as large as the body.
        let limit = buffers.budgetBytes / (2 + codec.workingBytes(bodyBytes: 1))
        throw .bodyTooLarge(byteCount: byteCount, limit: limit)
    }

    func countRequest(_ codec: any Codec.Type) { metrics.codecRequests.add(1, codec.name) }

    fileprivate var isAborted: Bool { workers.isAborted }

    func runHere(_ record: RequestRecord) -> Bool { workers.runHere(record) }

    fileprivate func decode(_ upload: borrowing Upload, _ worker: Worker) throws(ServiceError)
        -> InferenceRequest
    {
        try upload.codec.decode(upload.message, worker, buffers)
    }

    fileprivate func encode(
        _ result: borrowing InferenceResult, _ codec: any Codec.Type
    ) throws(ServiceError) -> SentAnswer {
        try sent.encode(result, codec, buffers)
    }

    func keep(_ answer: SentAnswer) { sent.keep(answer) }

    fileprivate func count(_ result: borrowing InferenceResult, _ timings: Timings) {
        metrics.record(result, timings)
    }
}
