import Encodings
import Execution
import Operators
import Platform
import Protocols

/// What the header of a POST said, and where its body goes.
final class Reception: Sendable {
    let target: RequestTarget
    let dialogue: any Dialogue
    let body: RawBuffer
    /// How the body is compressed.
    let coding: ContentCoding?
    /// Looks at the body while it arrives.
    let observer: BodyObserver?
    /// Holds memory for what reading allocates.
    private let reservation: BufferPool.Reservation

    /// Takes memory for a body.
    ///
    /// Errors: `overloaded`, and those of the target's query.
    init(
        _ target: RequestTarget, _ dialogue: any Dialogue, byteCount: Int, _ coding: ContentCoding?,
        _ pool: BufferPool
    ) throws(ServiceError) {
        let query = try target.query.get()
        let encoding = dialogue.encoding
        guard let body = pool.take(byteCount: byteCount + encoding.paddingBytes),
            let reservation = pool.reserve(byteCount: encoding.workingBytes(bodyBytes: byteCount))
        else { throw .overloaded(.bytes) }
        self.target = target
        self.dialogue = dialogue
        self.body = body
        self.coding = coding
        self.reservation = reservation
        let isWatched =
            byteCount >= Limits.observedBodyBytesMin && coding == nil && encoding.isBare(query)
        observer =
            isWatched
            ? Self.observer(target, dialogue, body, byteCount: byteCount, pool) : nil
    }

    /// nil where there is something wrong with the query: that is said when all is here.
    private static func observer(
        _ target: RequestTarget, _ dialogue: any Dialogue, _ body: RawBuffer, byteCount: Int,
        _ pool: BufferPool
    ) -> BodyObserver? {
        if let known = target.prepared(for: dialogue), known.bodyBytes == byteCount {
            return BodyObserver(body, byteCount: byteCount, known.form, pool)
        }
        // Only shapes are looked at: a bare body says nothing else.
        body.count = byteCount
        defer { body.count = 0 }
        var scratch: AnyObject = target
        guard let invocation = try? dialogue.decode(body, target, &scratch, pool),
            let prepared = PreparedRequest(invocation, bodyBytes: byteCount)
        else { return nil }
        target.prepared = .request(prepared, dialogue)
        return BodyObserver(body, byteCount: byteCount, prepared.form, pool)
    }

    /// The invocation that the body, which is complete, and the target mean.
    func read(
        _ scratch: inout AnyObject, _ service: ServiceState, deadlineNanoseconds: Int
    ) throws(ServiceError) -> Invocation {
        let pool = service.buffers
        if let coding {
            return try inflate(coding, &scratch, service, deadlineNanoseconds: deadlineNanoseconds)
        }
        let known = target.prepared(for: dialogue)
        if let invocation = known?.invocation(body, observer) { return invocation }
        let invocation = try dialogue.decode(body, target, &scratch, pool)
        if let query = try? target.query.get(), dialogue.encoding.isBare(query),
            let prepared = PreparedRequest(invocation, bodyBytes: body.count)
        {
            target.prepared = .request(prepared, dialogue)
        }
        return invocation
    }

    private func inflate(
        _ coding: ContentCoding, _ scratch: inout AnyObject, _ service: ServiceState,
        deadlineNanoseconds: Int
    ) throws(ServiceError) -> Invocation {
        let pool = service.buffers
        let encoding = dialogue.encoding
        let plain = try coding.inflate(
            body, limit: service.limits.bodyBytesMax, paddingBytes: encoding.paddingBytes, pool
        ) { MonotonicClock.now() > deadlineNanoseconds }
        let working = encoding.workingBytes(bodyBytes: plain.count)
        guard let reservation = pool.reserve(byteCount: working) else {
            // With the compressed body, which is held meanwhile, it may never fit.
            let isHopeless = !pool.canEverHold(
                byteCount: plain.capacity, beside: working + body.capacity)
            throw isHopeless
                ? .inflatedBodyTooLarge(limit: plain.count / 2) : .overloaded(.bytes)
        }
        return try withExtendedLifetime(reservation) { () throws(ServiceError) in
            try dialogue.decode(plain, target, &scratch, pool)
        }
    }
}
