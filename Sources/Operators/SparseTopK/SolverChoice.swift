/// Which solver runs, and its settings.
enum SolverChoice: String, CaseIterable {
    /// threshold; pav where general weights are given.
    case auto
    case threshold
    case pav
    case dykstra
}
