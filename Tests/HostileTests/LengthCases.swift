/// Content-Length in every wrong form, and the few odd forms that are right.
enum LengthCases {
    static let all = repeated + malformed + huge + odd

    /// Two lengths: a proxy may believe the one, we the other.
    private static let repeated: [HostileCase] = [
        twice("twice, equal", "Content-Length: 19\r\nContent-Length: 19\r\n"),
        twice("twice, the larger first", "Content-Length: 19\r\nContent-Length: 5\r\n"),
        twice("twice, the smaller first", "Content-Length: 5\r\nContent-Length: 19\r\n"),
        twice("zero, then the length", "Content-Length: 0\r\nContent-Length: 19\r\n"),
        twice("the length, then zero", "Content-Length: 19\r\nContent-Length: 0\r\n"),
        twice("twice in other case", "Content-Length: 19\r\ncontent-length: 5\r\n"),
        twice("twice, others between", "Content-Length: 19\r\nX: y\r\nContent-Length: 5\r\n"),
        twice("three times", String(repeating: "Content-Length: 19\r\n", count: 3)),
        twice("twice, bare LF between", "Content-Length: 19\nContent-Length: 5\r\n"),
        twice("good, then malformed", "Content-Length: 19\r\nContent-Length: x\r\n"),
        HostileCase(
            "length empty, then good",
            Text.post("Content-Length:\r\nContent-Length: 19\r\n", Text.body + Text.smuggled),
            [400], .closesAfterTwoHeads),
        twice("good, then empty", "Content-Length: 19\r\nContent-Length:\r\n"),
    ]

    private static func twice(_ name: String, _ headers: String) -> HostileCase {
        HostileCase(
            "length " + name, Text.post(headers, Text.body + Text.smuggled), [400], .closes)
    }

    /// libmicrohttpd answers most of these before we see them.
    private static let malformed: [HostileCase] = [
        bad("-1"), bad("-19"), bad("-0"), bad("+19"), bad("0x13"), bad("1e1"), bad("19.0"),
        bad("1 9"), bad("19 bytes"), bad("19, 19"), bad("19,5"), bad("19,"), bad(",19"),
        bad("4, 4"), bad("19;a=1"), bad("\"19\""), bad(""), bad("\t"), bad("infinity"), bad("nan"),
        bad("1_9"), bad("1'9"), bad("19\u{b}"), bad("\u{c}19"), bad("19\u{1}"), bad("19\u{7f}"),
        bad("19\u{a0}"), bad("\u{ef}\u{bc}\u{91}\u{ef}\u{bc}\u{99}"), bad("19h"), bad("023h"),
        bad("19\rContent-Length: 5"),
    ]

    private static func bad(_ value: String) -> HostileCase {
        HostileCase(
            "length is " + shown(value),
            Text.post("Content-Length: \(value)\r\n", Text.body + Text.smuggled), [400],
            .closesAfterTwoHeads)
    }

    /// Beyond the limit or beyond 64 bits: never wrapped around to a small number.
    private static let huge: [HostileCase] = [
        beyond("4194305"), beyond("4294967315"), beyond("999999999999999999"),
        beyond("9223372036854775807"), beyond("9223372036854775808"),
        beyond("18446744073709551615"), beyond("18446744073709551616"),
        beyond("18446744073709551635"), beyond("340282366920938463463374607431768211475"),
        beyond(String(repeating: "9", count: 400)),
        // 19 digits that are 19: right, but no client writes them.
        HostileCase(
            "length with 17 zeros before it",
            Text.post("Content-Length: 0000000000000000019\r\n"), [200, 400], .either),
    ]

    private static func beyond(_ value: String) -> HostileCase {
        HostileCase(
            "length is \(value.prefix(50))",
            Text.post("Content-Length: \(value)\r\n", Text.body + Text.smuggled), [400, 413],
            .closesAfterTwoHeads)
    }

    /// Spaces around a value are no part of it (RFC 9110 5.5); case does not matter.
    private static let odd: [HostileCase] = [
        good("no space", "Content-Length:19\r\n"),
        good("many spaces before", "Content-Length:      19\r\n"),
        good("a tab before", "Content-Length:\t19\r\n"),
        good("a zero before", "Content-Length: 019\r\n"),
        good("lower case", "content-length: 19\r\n"),
        good("upper case", "CONTENT-LENGTH: 19\r\n"),
        good("another name that looks like it", "Content-Length: 19\r\nContent_Length: 5\r\n"),
        good("another name that starts like it", "Content-Length: 19\r\nContent-Lengths: 5\r\n"),
        HostileCase(
            "length: a bare LF behind", Text.post("Content-Length: 19\n"), [400], .closes,
            "invalid_header"),
        HostileCase("no length", Text.post("", ""), [411], .keeps, "length_required"),
        HostileCase(
            "a name with an underscore only", Text.post("Content_Length: 0\r\n", ""), [411],
            .keeps, "length_required"),
        HostileCase(
            "a space before the colon",
            Text.post("Content-Length : 19\r\n", Text.body + Text.smuggled), [400], .closes),
        HostileCase(
            "a tab before the colon",
            Text.post("Content-Length\t: 19\r\n", Text.body + Text.smuggled), [400], .closes),
        HostileCase(
            "a good length, then one with a space before its colon",
            Text.post("Content-Length: 19\r\nContent-Length : 5\r\n", Text.body + Text.smuggled),
            [400], .closes),
        HostileCase(
            "no colon", Text.post("Content-Length 19\r\n", Text.body + Text.smuggled), [400],
            .closes),
        HostileCase(
            "length on GET", Text.get("/livez", "Content-Length: 19\r\n") + Text.body, [200],
            .keeps),
        HostileCase(
            "bad length on GET",
            Text.get("/livez", "Content-Length: -19\r\n") + Text.smuggled, [400],
            .closesAfterTwoHeads),
        HostileCase(
            "two lengths on GET",
            Text.get("/livez", "Content-Length: 0\r\nContent-Length: 35\r\n") + Text.smuggled,
            [400], .closes),
    ]

    private static func good(_ name: String, _ headers: String) -> HostileCase {
        HostileCase("length: " + name, Text.post(headers), [200], .keeps)
    }

    /// Bytes as a test's name may show them.
    static func shown(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            scalar.value >= 32 && scalar.value < 127
                ? String(scalar) : "<" + String(scalar.value, radix: 16) + ">"
        }.joined()
    }
}
