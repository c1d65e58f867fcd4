import Fixtures
import Foundation
import Testing

/// Catches an answer that a client of 0.1 would no longer get: status, headers, each member of each
/// JSON document, each bit of raw numbers, and the words of errors, of 5,454 recorded requests.
@Suite struct Contract01Tests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Contract01/replay.py").path

    @Test("what 0.1 was sent is answered as it was by 0.1", .timeLimit(.minutes(5)))
    func replay() throws {
        let run = try Command(
            "python3", [Self.script, Command.topkd], environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("5454 requests, 0 answered otherwise"), "\(run.output)")
    }
}
