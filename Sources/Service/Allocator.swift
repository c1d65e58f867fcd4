import CMalloc
import Execution

/// How the C library's allocator gives memory back.
package enum Allocator {
    /// Blocks from this size on are mapped one by one, and unmapped when they are freed. By default
    /// glibc takes such sizes from its heap once one of them has been freed, up to 32 MiB, and what
    /// is freed in the middle of a heap stays.
    private static let mappedBytesMin = Int32(Limits.mappedBufferBytesMin)
    /// So much free memory stays at the end of the heap: 128 KiB, the default that goes with a
    /// threshold of one's own, was given back and asked for again all the time.
    private static let keptBytesMax: Int32 = 4 << 20

    /// After a burst of large requests the service keeps its recycled buffers
    /// (`Limits.idleBufferBytesMax`) and little else: 130 to 180 MB resident instead of 350 to 500,
    /// and as many requests/s (4 MB raw, 1 MB dense and JSON of 2 MB, medians of 7 rounds). Once,
    /// before there are threads.
    package static func giveBackWhatIsFreed() {
        _ = mallopt(M_MMAP_THRESHOLD, mappedBytesMin)
        _ = mallopt(M_TRIM_THRESHOLD, keptBytesMax)
    }
}
