import Foundation
import Synchronization
import Testing

@testable import Operators

/// Catches settings that are made anew for each block, freed while they are in use, or left behind.
@Suite struct SettingsTests {
    private final class Settings: Sendable {
        let k: Int

        static let alive = Atomic<Int>(0)

        init(_ parameters: ParameterValues) {
            k = parameters[SparseTopKParameters.k].integer(row: 0)
            Self.alive.add(1, ordering: .relaxed)
            // So that others come meanwhile, and all but one are made in vain.
            usleep(1000)
        }

        deinit { Self.alive.subtract(1, ordering: .relaxed) }
    }

    @Test("settings are the same object for all who ask, also at once, and end with the parameters")
    func once() {
        for k in 1...50 {
            do {
                let parameters = ParameterValues([SparseTopKParameters.k], [.integers([k])])
                let found = Found()
                DispatchQueue.concurrentPerform(iterations: 4) { place in
                    found.set(place, parameters.settings { Settings($0) })
                }
                let first = found.all[0]
                #expect(found.all.allSatisfy { $0 === first && $0?.k == k })
                #expect(parameters.settings { Settings($0) } === first)
            }
            #expect(Settings.alive.load(ordering: .relaxed) == 0)
        }
    }

    private final class Found: @unchecked Sendable {
        private let lock = NSLock()
        private(set) var all: [Settings?] = [nil, nil, nil, nil]

        func set(_ place: Int, _ settings: Settings) {
            lock.withLock { all[place] = settings }
        }
    }
}
