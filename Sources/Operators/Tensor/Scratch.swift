/// An uninitialised array that only grows.
struct Scratch<Element: BitwiseCopyable>: ~Copyable {
    private(set) var pointer: UnsafeMutablePointer<Element>
    private(set) var capacity: Int

    init() {
        capacity = 64
        pointer = .allocate(capacity: capacity)
    }

    deinit { pointer.deallocate() }

    /// Room for `count` elements; what was written before is lost when it has to grow.
    @inline(__always)
    mutating func reserve(_ count: Int) -> UnsafeMutablePointer<Element> {
        if count > capacity { grow(count) }
        return pointer
    }

    /// Frees the memory if it is more than 4 MiB.
    mutating func trim() {
        guard capacity * MemoryLayout<Element>.stride > 4 << 20 else { return }
        pointer.deallocate()
        capacity = 64
        pointer = .allocate(capacity: capacity)
    }

    @inline(never)
    private mutating func grow(_ count: Int) {
        pointer.deallocate()
        capacity = max(count, 2 * capacity)
        pointer = .allocate(capacity: capacity)
    }
}
