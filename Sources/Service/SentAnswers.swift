import Codecs
import Inference
import MicroHTTPD
import Operators

/// The answer to a POST: what it was written to, and the library's response with its headers.
final class SentAnswer: @unchecked Sendable {
    /// What its headers follow from; nil for one that is not written to once more.
    fileprivate let key: Key?
    let body: RawBuffer
    /// Until its headers have been written, nil.
    private var reply: Reply?

    /// Answers for which these are the same have the same length, and the same headers but for the
    /// request's own.
    fileprivate struct Key {
        let form: RequestForm
        let nonzeroCount: Int
        let width: Int

        func isOf(_ result: borrowing InferenceResult) -> Bool {
            result.isOf(form) && nonzeroCount == result.nonzeroCount && width == result.width
        }
    }

    fileprivate init(_ key: Key?, _ body: RawBuffer) {
        self.key = key
        self.body = body
    }

    /// The reply, with all headers but the request's own; what it had of these is still there.
    func reply(_ codec: any Codec.Type, _ result: borrowing InferenceResult) -> Reply {
        if let reply { return reply }
        let made = Reply(status: 200, body: body.bytes, owner: body)
        made.add("Content-Type", codec.mediaType)
        codec.headers(of: result) { name, value in made.add(name, value) }
        reply = made
        return made
    }

    /// Whether it may be written to once more, when it has been sent.
    var canBeKept: Bool {
        guard key != nil, let reply else { return false }
        return reply.isWhole && !reply.closesConnection
    }
}

/// Small answers that have been sent, to be written to once more: a trainer's differ in their
/// numbers only, and the library makes and frees three pieces of memory for each of eight headers.
/// That was a fifth of the instructions of a request of 4 KB.
final class SentAnswers: Sendable {
    /// The one that was sent last at the end.
    private let idle = Lock<[SentAnswer]>([])

    /// Writes the answer: to one of the same headers that has been sent, if there is one.
    func encode(
        _ result: borrowing InferenceResult, _ codec: any Codec.Type, _ pool: BufferPool
    ) throws(ServiceError) -> SentAnswer {
        // A form that does not come again would be held, and found by nobody.
        guard result.form.isShared, let byteCount = codec.byteCount(of: result),
            byteCount <= Limits.keptAnswerBytesMax
        else { return SentAnswer(nil, try codec.encode(result, pool)) }
        let answer = take(result) ?? Self.make(result, byteCount: byteCount)
        precondition(answer.body.count == byteCount)
        codec.write(result, to: answer.body.memory)
        return answer
    }

    /// Not of the pool's memory: it would count as in use while nobody uses it.
    private static func make(
        _ result: borrowing InferenceResult, byteCount: Int
    ) -> SentAnswer {
        let body = RawBuffer(capacity: byteCount)
        body.count = byteCount
        let key = SentAnswer.Key(
            form: result.form, nonzeroCount: result.nonzeroCount, width: result.width)
        return SentAnswer(key, body)
    }

    private func take(_ result: borrowing InferenceResult) -> SentAnswer? {
        idle.withLock { idle in
            var place = idle.count
            while place > 0 {
                place -= 1
                if idle[place].key?.isOf(result) == true { return idle.remove(at: place) }
            }
            return nil
        }
    }

    /// The exchange is over: nobody sends it any more.
    func keep(_ answer: SentAnswer) {
        guard answer.canBeKept else { return }
        idle.withLock { idle in
            // What nobody has asked for goes first.
            if idle.count == Limits.keptAnswersMax { idle.removeFirst() }
            idle.append(answer)
        }
    }
}
