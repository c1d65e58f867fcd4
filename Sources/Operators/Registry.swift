/// Every operator that the service has.
package enum Registry {
    /// One line an operator. The first is the default.
    package static let entries: [any Invocable] = [
        Mask(),
        Values(),
        Magnitude(),
        SoftTopK(),
        SoftTopKSorted(),
        TopKast(),
        GaussianK(),
    ]

    /// Those that compute rows of x.
    package static let all: [any Operator] = entries.compactMap { $0 as? any Operator }

    /// The operator of rows called `name`, if there is one.
    package static func find(_ name: String) -> (any Operator)? {
        all.first { $0.descriptor.name == name }
    }

    package static let names = all.map { $0.descriptor.name }
}

/// What one service offers: the procedures of its operators, found by route and name.
package final class Catalog: Sendable {
    package let operators: [any Operator]
    package let procedures: [Procedure]
    /// Native routes, in the order of their first procedures.
    package let routes: [String]
    private let byRoute: [String: [Procedure]]

    package static let standard = Catalog(Registry.entries)

    package init(_ entries: [any Invocable]) {
        operators = entries.compactMap { $0 as? any Operator }
        procedures = entries.flatMap { $0.procedures }
        var routes: [String] = []
        for procedure in procedures where !routes.contains(procedure.route) {
            routes.append(procedure.route)
        }
        self.routes = routes
        byRoute = Dictionary(grouping: procedures) { $0.route }
    }

    /// The procedures behind a native route; the first is the default.
    package func procedures(route: String) -> [Procedure] { byRoute[route] ?? [] }

    /// Names of the operators that are asked for by the member `operator` of requests.
    package var operatorNames: [String] { operators.map { $0.descriptor.name } }

    /// Names of all operators, for labels, in the order of the registry.
    package var labels: [String] {
        procedures.reduce(into: []) { names, procedure in
            if names.last != procedure.operatorName { names.append(procedure.operatorName) }
        }
    }
}
