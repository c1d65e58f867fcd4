import Glibc
import Testing

/// Catches a header that we read otherwise than a proxy does: where a request ends, or whether it
/// is one. Each table ends with the same good request, on a new connection and on the same one.
@Suite(.serialized) struct HostileHeaderTests {
    @Test("Content-Length", arguments: LengthCases.all)
    func length(_ hostile: HostileCase) throws { try Attack.run(hostile) }

    @Test("Transfer-Encoding", arguments: TransferCases.all)
    func transfer(_ hostile: HostileCase) throws { try Attack.run(hostile) }

    // The parser stops at every byte, and must go on as if it had not.
    @Test("both, in small packets", arguments: packetCases, [1, 7])
    func packets(_ hostile: HostileCase, packetBytes: Int) throws {
        try Attack.run(hostile, packetBytes: packetBytes)
    }

    private static let packetCases = (LengthCases.all + TransferCases.all).filter {
        let closes = [HostileCase.End.closes, .closesAfterTwoHeads].contains($0.end)
        return closes && $0.bytes.count < 1000
    }

    @Test("request lines", arguments: LineCases.all)
    func line(_ hostile: HostileCase) throws { try Attack.run(hostile) }

    @Test("what the parser hides", arguments: ParserCases.all)
    func parser(_ hostile: HostileCase) throws { try Attack.run(hostile) }

    @Test("header lines", arguments: HeaderCases.all)
    func header(_ hostile: HostileCase) throws { try Attack.run(hostile) }
}

/// Catches a body that is longer, shorter or other than it says, and that takes the next request,
/// the service's memory or the service itself with it.
@Suite(.serialized) struct HostileBodyTests {
    @Test("sizes, Expect, pipelines", arguments: BodyCases.all)
    func body(_ hostile: HostileCase) throws { try Attack.run(hostile) }

    @Test("JSON", arguments: JSONCases.all)
    func json(_ hostile: HostileCase) throws { try Attack.run(hostile) }

    @Test("raw numbers", arguments: BinaryCases.all)
    func binary(_ hostile: HostileCase) throws { try Attack.run(hostile) }
}

/// What is known to be wrong; each case says what happens instead of what should. Catches nothing
/// until it is mended, and so is skipped.
@Suite(.serialized, .enabled(if: getenv("TOPKD_KNOWN") != nil)) struct KnownTests {
    @Test("known to be wrong", arguments: KnownCases.all)
    func known(_ hostile: HostileCase) throws { try Attack.run(hostile) }

    @Test(
        "known to lose the answer of a client with no more to send", arguments: DepartureCase.known)
    func departure(_ departure: DepartureCase) throws { try DepartureTests.run(departure) }

    // When the end comes with the last bytes, libmicrohttpd reads those and does not look again
    // (mostly: it is a race): the connection stays until --connection-timeout-seconds.
    @Test("known to miss the end behind the last byte", arguments: DepartureCase.halfClosedAtOnce)
    func missedEnd(_ departure: DepartureCase) throws { try DepartureTests.run(departure) }
}
