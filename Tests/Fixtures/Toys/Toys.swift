import Service

extension Doors {
    /// The standard service, and one of each kind that its seams promise to carry: one file and one
    /// line a toy.
    package static let withToys = Doors(
        adding: [
            RandomPick(),
            GraphSearch(),
            CounterWork(),
        ],
        encodings: [
            ToyEncoding.self
        ],
        protocols: [
            ToyProtocol()
        ])
}
