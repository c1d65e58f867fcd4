/// The exponent of a request: which rule runs for its p.
enum Exponent {
    case linear
    case cubic
    case root
    case general(Double)

    /// e = 1 / (p - 1).
    var e: Double {
        switch self {
        case .linear: 1
        case .cubic: 3
        case .root: 0.5
        case .general(let e): e
        }
    }

    /// 4/3 as the nearest double, the value that "4/3" and 1.3333333333333333 both mean.
    static let fourThirds = 4.0 / 3.0

    init(p: Double) {
        precondition(p > 1)
        if p == 2 {
            self = .linear
        } else if p == Self.fourThirds {
            self = .cubic
        } else if p == 3 {
            self = .root
        } else {
            self = .general(1 / (p - 1))
        }
    }
}
