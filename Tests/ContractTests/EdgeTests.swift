import Fixtures
import Operators
import Service
import Testing

/// At the edges of every parameter, the schemas and the service say yes and no to the same values.
struct EdgeTests {
    /// A value for one parameter, and whether it should be taken.
    struct Probe {
        let value: Tree
        let isTaken: Bool
        /// Whether only the service can know: the length of a row is nothing for a schema.
        var isBeyondSchema = false
    }

    // Catches: a range, type or word that the descriptor has and the decoder does not enforce, or
    // that openapi.yaml words otherwise than it works.
    @Test("schemas take what the service takes", arguments: Registry.names)
    func edgesAgree(operatorName: String) throws {
        let tree = try ContractFile.tree()
        let op = try #require(Registry.find(operatorName))
        let service = try LiveService()
        defer { service.stop() }
        let client = try service.client()
        func expect(
            _ members: [String: Tree], _ probe: Probe, _ place: String,
            _ direction: Direction = .forward
        ) throws {
            var members = members
            if let stack = direction.stackName, members[stack] == nil {
                // Where answers have an axis more, one column.
                members[stack] =
                    op.addsAxis
                    ? .list([Tree](repeating: .list([[1], [1], [1], [1]]), count: 2)) : members["x"]
            }
            let request = Tree.object(members)
            let name = direction.rawValue.capitalized + "Request"
            let schema = Comparison.reference("schemas", name)
            let isValid = SchemaCheck(document: tree).errors(request, against: schema).isEmpty
            let answer = try client.post(Comparison.path(direction), json: request.json())
            #expect((answer.status == 200) == probe.isTaken, "\(place): \(answer.text)")
            #expect(isValid == (probe.isTaken || probe.isBeyondSchema), "\(place), the schema")
        }
        let base = Self.request(op)
        try expect(base, Probe(value: .null, isTaken: true), "the least request")
        for direction in op.directions.dropFirst() {
            try expect(base, Probe(value: .null, isTaken: true), "the least", direction)
        }
        for spec in op.descriptor.parameters {
            for probe in Self.probes(spec) {
                let members = base.merging([spec.name: probe.value]) { $1 }
                var direction = Direction.forward
                if let first = spec.directions.first, spec.directions.count == 1 {
                    direction = first
                }
                let place = "\(spec.name) = \(probe.value.json())"
                try expect(Self.completed(members, spec), probe, place, direction)
                for other in op.directions where !spec.directions.contains(other) {
                    let misplaced = Probe(value: probe.value, isTaken: false)
                    try expect(members, misplaced, place + " elsewhere", other)
                }
            }
        }
        for name in Self.required(op) {
            let members = base.filter { $0.key != name }
            try expect(members, Probe(value: .null, isTaken: false), "without \(name)")
        }
        for (name, value) in Self.mistakes {
            let members = base.merging([name: value]) { $1 }
            try expect(members, Probe(value: value, isTaken: false), "\(name) = \(value.json())")
        }
    }

    /// Two rows of four, and required parameters at their least.
    private static func request(_ op: any Operator) -> [String: Tree] {
        var members: [String: Tree] = [
            "operator": .string(op.descriptor.name), "x": [[3, 1, 2, 0], [0.5, 0.25, 9, -4]],
        ]
        for spec in op.descriptor.parameters where spec.isRequired {
            members[spec.name] = probes(spec).first { $0.isTaken }?.value
        }
        return members
    }

    /// What only goes with another parameter's value; no schema says so.
    private static func completed(
        _ members: [String: Tree], _ spec: ParameterSpec
    ) -> [String: Tree] {
        switch spec.name {
        case "max_iterations", "tolerance": members.merging(["solver": "dykstra", "p": 2]) { $1 }
        case "solver": members.merging(["p": 2]) { $1 }
        case "cost_scale" where members["operator"] == "soft_topk", "legacy_batch_scale":
            members.merging(["epsilon": 1]) { $1 }
        case "density_extra":
            members.filter { $0.key != "k_forward" }.merging(["density_forward": 1e-12]) { $1 }
        default: members
        }
    }

    private static func required(_ op: any Operator) -> [String] {
        let names = op.descriptor.parameters.filter { $0.isRequired }.map { $0.name }
        // Without an operator it is another one's request.
        return ["x"] + names
    }

    /// What is wrong for every operator.
    private static let mistakes: [(String, Tree)] = [
        ("no_such_parameter", 1), ("cotangent", [[1, 1, 1, 1], [1, 1, 1, 1]]),
        ("tangent", [[1, 1, 1, 1], [1, 1, 1, 1]]), ("n", 4),
        ("shape", [2, 4]), ("operator", "no_such_operator"), ("dtype", "float8"),
        ("format", "coo"), ("index_dtype", "int8"), ("dtype", 32), ("x", 3), ("x", [[1], [[1]]]),
        ("x", []), ("x", [[]]), ("x", ["NaN", 1]), ("x", [[[1, 2]]]), ("x", [true, false]),
    ]

    private static func probes(_ spec: ParameterSpec) -> [Probe] {
        var taken: [Tree] = []
        var refused: [Tree] = [.null, [:], "no such word", [["nested"]], []]
        if case .boolean = spec.kind { refused.append(1) } else { refused.append(true) }
        var beyond: [Tree] = []
        switch spec.kind {
        case .boolean:
            taken = [true, false]
        case .subset(let words):
            taken = words.map { [.string($0)] } + [Tree(words)]
            refused += [.string(words[0]), Tree([words[0], words[0]]), ["no such word"]]
        case .integer(let minimum, let maximum, let atMostRowLength):
            if let maximum { refused.append(.number(Double(maximum) + 1)) }
            let least = Double(minimum)
            taken = [.number(least)]
            refused += [.number(least - 1), .number(least + 0.5), .string("\(minimum)")]
            if atMostRowLength {
                taken.append(4)
                beyond.append(5)
            }
        case .number(let minimum, let maximum, let fractions, let atMostRowLength):
            taken = [.number(minimum)] + fractions.keys.sorted().map { .string($0) }
            refused += [.number(minimum - 0.001), .string("\(minimum)"), "5/3"]
            if atMostRowLength {
                taken.append(4)
                beyond.append(4.001)
            }
            if let maximum {
                taken.append(.number(maximum))
                refused.append(.number(maximum + 0.001))
            }
        case .choice(let words):
            taken = words.map { .string($0) }
            refused += [1]
        }
        // One a row, for two rows.
        let lists = taken.filter { $0.value != nil }.map { Tree.list([$0, $0]) }
        if spec.isPerRow { taken += lists } else { refused += lists }
        if spec.isPerRow, let value = taken.first { beyond.append([value, value, value]) }
        return taken.map { Probe(value: $0, isTaken: true) }
            + refused.map { Probe(value: $0, isTaken: false) }
            + beyond.map { Probe(value: $0, isTaken: false, isBeyondSchema: true) }
    }
}
