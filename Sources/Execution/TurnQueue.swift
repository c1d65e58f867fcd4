/// Who sent a request, for taking turns: requests of one peer wait behind each other, not those of
/// others behind them.
package struct Peer: Hashable, Sendable {
    private let number: UInt64

    /// Equal numbers are one peer: an address, a process, or a token's index.
    package init(_ number: UInt64) { self.number = number }
}

/// First in, first out for each peer, and turn by turn among peers. Amortised O(1), but for
/// `removeAll`.
struct TurnQueue<Element> {
    private var queues: [Peer: Deque<Element>] = [:]
    /// Peers with an element; the first one's turn is next.
    private var turns = Deque<Peer>()
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Whether someone else than `peer` has an element.
    func hasOthers(than peer: Peer) -> Bool {
        queues.count > (queues[peer] == nil ? 0 : 1)
    }

    mutating func append(_ element: Element, _ peer: Peer) {
        if queues[peer] == nil { turns.append(peer) }
        queues[peer, default: Deque()].append(element)
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard let peer = turns.popFirst(), let element = queues[peer]?.popFirst() else {
            return nil
        }
        count -= 1
        if queues[peer]?.count == 0 {
            queues[peer] = nil
        } else {
            turns.append(peer)
        }
        return element
    }

    /// The element whose turn is next stays; nil if there is none.
    var first: (element: Element, peer: Peer)? {
        guard let peer = turns.first, let element = queues[peer]?.first else { return nil }
        return (element, peer)
    }

    /// The next peer's turn is over: it comes again behind the others. Its elements stay.
    mutating func passTurn() {
        if let peer = turns.popFirst() { turns.append(peer) }
    }

    /// Takes out the elements that `isOut` says; the others keep their order. O(elements).
    mutating func removeAll(where isOut: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        var kept = TurnQueue()
        var rest = self
        while let peer = rest.turns.popFirst() {
            while let element = rest.queues[peer]?.popFirst() {
                if isOut(element) { removed.append(element) } else { kept.append(element, peer) }
            }
        }
        if !removed.isEmpty { self = kept }
        return removed
    }
}
