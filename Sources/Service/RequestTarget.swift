import Codecs
import Inference
import MicroHTTPD

/// A request target, taken apart: "/topk?k=2" is a route and a query.
final class RequestTarget: Sendable {
    private let text: String
    let path: String
    /// nil for a path that is nobody's.
    let route: Route?
    /// Of a route that computes; the others read none.
    let query: Result<Query, ServiceError>

    private init(_ text: String) {
        self.text = text
        let mark = text.utf8.firstIndex(of: UInt8(ascii: "?"))
        path = String(text[..<(mark ?? text.endIndex)])
        route = Route.find(path)
        guard let mark, let route, case .compute = route.endpoint else {
            query = .success(.empty)
            return
        }
        do throws(ServiceError) {
            query = .success(try Query(text[text.utf8.index(after: mark)...]))
        } catch {
            query = .failure(error)
        }
    }

    private static let last = Lock<RequestTarget?>(nil)

    /// The same as for the last request if that had the same text, or taken apart anew: most of a
    /// trainer's are the same.
    static func cached(_ text: String) -> RequestTarget {
        if let known = last.withLock({ $0 }), known.text == text { return known }
        let target = RequestTarget(text)
        last.withLock { $0 = target }
        return target
    }
}
