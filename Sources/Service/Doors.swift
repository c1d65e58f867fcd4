import Encodings
import MicroHTTPD
import Operators
import Protocols

/// What a service offers, and how: its operators, encodings and protocols.
package struct Doors: Sendable {
    package let catalog: Catalog
    package let encodings: [any Encoding.Type]
    package let protocols: [any ServiceProtocol]

    /// What is in the registries.
    package static let standard = Doors()

    /// What is in the registries, and more: for tests.
    package init(
        adding operators: [any Invocable] = [], encodings: [any Encoding.Type] = [],
        protocols: [any ServiceProtocol] = []
    ) {
        catalog = operators.isEmpty ? .standard : Catalog(Registry.entries + operators)
        self.encodings = EncodingRegistry.all + encodings
        self.protocols = ProtocolRegistry.all + protocols
    }

    /// Whose errors answer what is nobody's.
    var fallback: any ServiceProtocol { protocols[0] }

    /// All routes, those that compute first.
    ///
    /// - Parameter operations: health, metrics, metadata.
    func routes(_ operations: Operations) -> [Route] {
        protocols.flatMap { $0.routes(catalog, encodings) } + operations.routes
    }
}

extension Route {
    /// The whole HTTP surface of the standard service.
    package static let all = Doors.standard.routes(
        Operations(.standard, metrics: { [] }, isDraining: { false }))
}
