/// A document as a neutral tree: operators know no JSON.
package indirect enum Document: Sendable, Equatable {
    case null
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([Document])
    /// A list of numbers and nothing else: there may be millions of them.
    case numbers([Double])
    /// Members in their order; names are distinct.
    case object([Member])

    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: Document

        package init(_ name: String, _ value: Document) {
            self.name = name
            self.value = value
        }
    }

    /// The member called `name` of an object. O(members).
    package subscript(name: String) -> Document? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}
