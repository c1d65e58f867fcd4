/// Short rows are looked at a few at once, with SIMD across them: a row of 64 numbers is too short
/// for SIMD along it.
enum RowGroup {
    /// How many rows a group has at most.
    static let rowsMax = 16
    /// Longer rows are looked at one by one.
    static let lengthMax = 512

    /// How many rows are worth taking at once.
    static func rowsAtOnce(rowLength n: Int) -> Int { n <= lengthMax ? rowsMax : 1 }
}
