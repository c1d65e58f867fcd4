/// Scratch for `Support.emit`.
final class Reordering {
    private var columnScratch = Scratch<Int32>()
    private var valueScratch = Scratch<Double>()

    func columns(_ count: Int) -> UnsafeMutablePointer<Int32> { columnScratch.reserve(count) }
    func values(_ count: Int) -> UnsafeMutablePointer<Double> { valueScratch.reserve(count) }

    func trim() {
        columnScratch.trim()
        valueScratch.trim()
    }
}
