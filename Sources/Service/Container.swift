import Glibc

/// What the container that we run in may use: cgroup v2, then v1. nil: no limit is set.
package struct Container: Sendable {
    /// Processors, rounded up.
    package let processors: Int?
    package let memoryBytes: Int?

    /// - Parameter root: where cgroups are mounted; another one for tests.
    package init(root: String = "/sys/fs/cgroup") {
        processors = Self.quota(root).map { max(1, Int($0.rounded(.up))) }
        // v1 says "no limit" by a number near 2^63.
        memoryBytes = ["/memory.max", "/memory/memory.limit_in_bytes"].lazy
            .compactMap { Self.words(root + $0).first.flatMap { Int($0) } }
            .first { $0 > 0 && $0 < 1 << 50 }
    }

    private static func quota(_ root: String) -> Double? {
        let second = words(root + "/cpu.max")
        if second.count == 2, let quota = Double(second[0]), let period = Double(second[1]) {
            return period > 0 ? quota / period : nil
        }
        guard let quota = words(root + "/cpu/cpu.cfs_quota_us").first.flatMap({ Double($0) }),
            let period = words(root + "/cpu/cpu.cfs_period_us").first.flatMap({ Double($0) }),
            quota > 0, period > 0
        else { return nil }
        return quota / period
    }

    private static func words(_ path: String) -> [Substring] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return [] }
        let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
            .split(whereSeparator: { $0 == " " || $0 == "\n" })
    }
}
