/// Every operator that the service has.
package enum Registry {
    /// One line an operator. The first is the default.
    package static let all: [any Operator] = [
        Mask(),
        Values(),
        Magnitude(),
        SoftTopK(),
        SoftTopKSorted(),
        TopKast(),
        GaussianK(),
    ]

    /// The operator called `name`, if there is one.
    package static func find(_ name: String) -> (any Operator)? {
        all.first { $0.descriptor.name == name }
    }

    package static let names = all.map { $0.descriptor.name }
}
