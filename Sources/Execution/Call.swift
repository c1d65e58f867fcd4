import Operators

/// What the scheduler asks of whoever wants something computed. Methods run on the thread that
/// computes, one after the other.
package protocol Call: AnyObject, Sendable {
    /// When the answer is of no more use, on the monotonic clock.
    var deadlineNanoseconds: Int { get }
    var peer: Peer { get }
    /// What is known of the client's end of the connection. Any thread; after `deliver` the word
    /// means nothing.
    var departure: Departure { get }
    /// Reads the body. Called once.
    func decode(_ worker: Worker) throws(ServiceError) -> Invocation
    /// Encodes the answer. When it throws, `fail` follows.
    func succeed(_ result: borrowing InvocationResult, _ timings: Timings) throws(ServiceError)
    /// Makes the error's answer.
    ///
    /// - Parameter form: nil if the request could not be decoded.
    func fail(_ error: ServiceError, _ form: InvocationForm?, _ timings: Timings)
    /// Makes the answer of a call whose client left in this stage.
    func abandon(_ stage: Stage, _ timings: Timings)
    /// Sends the answer. Called once, and last: nobody holds the request's memory any more, so that
    /// a client's next one finds it.
    func deliver()
}

/// How far a client has left.
package enum Departure: Sendable {
    case none
    /// It has ended its side: it may have gone, or only half-closed, and reads on.
    case halfClosed
    /// The connection is broken.
    case gone
}
