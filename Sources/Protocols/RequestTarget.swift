import Encodings
import Execution
import MicroHTTPD

/// A request target, taken apart: "/topk?k=2" is a route and a query. Kept with its connection:
/// most of a client's requests have the target of one before.
package final class RequestTarget: @unchecked Sendable {
    package let path: String
    /// nil for a path that is nobody's.
    package let route: Route?
    /// What the pattern's names stand for, in their order.
    package let captures: [String]
    /// Of a route that computes; the others read none.
    package let query: Result<Query, ServiceError>
    /// What the last request with this target meant. One request of a connection has it at a time.
    package var prepared = Prepared.nothing

    package enum Prepared {
        case nothing
        /// How a body of some length, in this dialogue, is read.
        case request(PreparedRequest, any Dialogue)
    }

    package init(_ text: String, _ router: Router<Route>) {
        let mark = text.utf8.firstIndex(of: UInt8(ascii: "?"))
        path = String(text[..<(mark ?? text.endIndex)])
        let match = router.match(path)
        route = match?.endpoint
        captures = match?.captures ?? []
        guard let mark, let route, case .invoke = route.action else {
            query = .success(.empty)
            return
        }
        do throws(ServiceError) {
            query = .success(try Query(text[text.utf8.index(after: mark)...]))
        } catch {
            query = .failure(error)
        }
    }

    /// What the last request prepared, if it had the same dialogue.
    package func prepared(for dialogue: any Dialogue) -> PreparedRequest? {
        guard case .request(let known, let its) = prepared,
            its === dialogue
        else { return nil }
        return known
    }
}
