import Foundation
import Testing

@testable import Service

/// Catches a limit of the container that is not seen, or one that is seen where there is none.
@Suite struct ContainerTests {
    @Test(
        "cgroup files say what there is",
        arguments: [
            (["cpu.max": "150000 100000", "memory.max": "536870912"], 2, 536_870_912),
            (["cpu.max": "max 100000", "memory.max": "max"], nil, nil),
            (["cpu.max": "50000 100000"], 1, nil),
            (
                [
                    "cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000",
                    "memory/memory.limit_in_bytes": "1073741824",
                ], 4, 1_073_741_824
            ),
            (
                [
                    "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
                    "memory/memory.limit_in_bytes": "9223372036854771712",
                ], nil, nil
            ),
            (["cpu.max": "", "memory.max": "garbage"], nil, nil),
        ] as [([String: String], Int?, Int?)])
    func limits(_ files: [String: String], _ processors: Int?, _ memory: Int?) throws {
        let root = FileManager.default.temporaryDirectory
            .appendingPathComponent("cgroup-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: root) }
        for (name, text) in files {
            let file = root.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try (text + "\n").write(to: file, atomically: true, encoding: .utf8)
        }
        let container = Container(root: root.path)
        #expect(container.processors == processors)
        #expect(container.memoryBytes == memory)
    }

    // Catches glibc's habit of keeping what was freed, hundreds of MB after a burst of requests.
    // In a process of its own: what others have freed here may be taken first.
    @Test("large blocks are mapped, whatever was freed before")
    func mapped() async {
        await #expect(processExitsWith: .success) {
            Allocator.giveBackWhatIsFreed()
            // From here on glibc would take 16 MB from its heap, and all that is less.
            free(malloc(16 << 20))
            guard let block = malloc(1 << 20) else { exit(2) }
            // The second bit of its size, which stands before a block, says that it is mapped.
            let size = block.load(fromByteOffset: -MemoryLayout<Int>.size, as: Int.self)
            exit(size & 2 != 0 ? 0 : 1)
        }
    }
}
