import Fixtures
import Testing

@testable import Operators

/// Catches a pad that is made anew for each block, one that two families share, and one that keeps
/// what an unusual request has made large.
@Suite struct WorkspaceTests {
    private final class Pad: Scratchpad {
        var numbers = Scratch<Double>()
        var trimCount = 0

        func trim() {
            numbers.trim()
            trimCount += 1
        }
    }

    private final class OtherPad: Scratchpad {
        func trim() {}
    }

    @Test("each type has one pad, and trim reaches it")
    func pads() {
        let workspace = Workspace()
        let pad = workspace.scratch(Pad.self)
        let other = workspace.scratch(OtherPad.self)
        #expect(workspace.scratch(Pad.self) === pad)
        #expect(workspace.scratch(OtherPad.self) === other)
        #expect(Workspace().scratch(Pad.self) !== pad)
        workspace.trim()
        #expect(pad.trimCount == 1)
    }

    @Test("memory of more than 4 MiB is given back, less is kept")
    func trimming() {
        let pad = Pad()
        _ = pad.numbers.reserve(1 << 19)
        pad.trim()
        #expect(pad.numbers.capacity == 1 << 19)
        _ = pad.numbers.reserve(1 << 20)
        pad.trim()
        #expect(pad.numbers.capacity < 1 << 10)
    }
}
