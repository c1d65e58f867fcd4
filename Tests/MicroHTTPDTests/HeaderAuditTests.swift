import Testing

@testable import MicroHTTPD

/// Catches a header that makes a proxy and us disagree on where a request ends.
@Suite struct HeaderAuditTests {
    private static let kept = [
        HeaderName(4, "content-type", isSingle: true),
        HeaderName(5, "content-encoding", isSingle: true),
        HeaderName(6, "authorization", isSingle: true),
        HeaderName(7, "topk-timeout-ms", isSingle: true),
        HeaderName(8, "accept", isSingle: false),
    ]
    private static let table = HeaderTable(kept)

    private func audit(_ headers: [(String, String)]) -> HeaderAudit {
        var audit = HeaderAudit(Self.table)
        for (name, value) in headers {
            Array(name.utf8).withUnsafeBufferPointer { name in
                Array(value.utf8).withUnsafeBufferPointer { value in
                    audit.visit(name: name, value: value)
                }
            }
        }
        return audit
    }

    @Test("HTTP/1.1 needs a Host, HTTP/1.0 does not")
    func missingHost() {
        for (isVersion11, fault) in [(true, HeaderFault.missingHost), (false, nil)] {
            var found = audit([("Accept", "*/*")])
            found.finish(isVersion11: isVersion11)
            #expect(found.fault == fault)
        }
    }

    @Test(
        "what means one thing comes once",
        arguments: ["Content-Type", "content-encoding", "AUTHORIZATION", "Topk-Timeout-Ms"])
    func repeated(_ name: String) {
        #expect(audit([(name, "a")]).fault == nil)
        let fault = audit([("X", "a"), (name, "a"), ("Accept", "*/*"), (name.lowercased(), "a")])
            .fault
        #expect(fault == .repeatedHeader(name.lowercased()))
    }

    // Catches: a name that the table does not find, or one too many for HeaderValues.
    @Test("every header that means something is found, in any case, and the first of several kept")
    func names() {
        for name in Self.kept + [.expect, .host, .contentLength, .transferEncoding] {
            let text = "\(name.text)"
            for spelling in [text, text.uppercased()] {
                let found = Array(spelling.utf8).withUnsafeBufferPointer { Self.table.find($0) }
                #expect(found?.place == name.place, "\(spelling)")
            }
            let other = Array(("y" + text.dropFirst()).utf8)
            #expect(other.withUnsafeBufferPointer { Self.table.find($0) } == nil)
            var values = HeaderValues()
            // Blanks behind a value are none of it.
            let two = Array("1 \t2".utf8)
            two.withUnsafeBufferPointer { bytes in
                values.note(name, UnsafeBufferPointer(rebasing: bytes[..<3]))
                values.note(name, UnsafeBufferPointer(rebasing: bytes[3...]))
                #expect(values[name] == "1" && values.equals(name, "1") && values.has(name))
                #expect(!values.equals(name, "10") && !values.equals(name, ""))
            }
        }
    }

    @Test("ordinary headers pass and tell the length")
    func ordinary() {
        let found = audit([("Host", "a"), ("content-LENGTH", "17"), ("Accept", "*/*\t")])
        #expect(found.fault == nil)
        #expect(found.framing == BodyFraming(contentLength: 17, isChunked: false))
        #expect(audit([("Transfer-Encoding", "Chunked")]).framing.isChunked)
    }

    @Test(
        "ambiguous framing is refused",
        arguments: [
            (
                [("Content-Length", "1"), ("Content-Length", "1")],
                HeaderFault.repeatedContentLength
            ),
            ([("Content-Length", "1"), ("content-length", "2")], .repeatedContentLength),
            ([("Content-Length", "1, 1")], .invalidContentLength),
            ([("Content-Length", "+1")], .invalidContentLength),
            ([("Content-Length", "")], .invalidContentLength),
            ([("Content-Length", "0x10")], .invalidContentLength),
            ([("Content-Length", "9999999999999999999")], .invalidContentLength),
            (
                [("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
                .contentLengthWithTransferEncoding
            ),
            (
                [("Transfer-Encoding", "chunked"), ("Content-Length", "1")],
                .contentLengthWithTransferEncoding
            ),
            ([("Transfer-Encoding", "gzip")], .unsupportedTransferEncoding),
            ([("Transfer-Encoding", "chunked, chunked")], .unsupportedTransferEncoding),
            (
                [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
                .unsupportedTransferEncoding
            ),
            ([("Host", "a"), ("host", "b")], .repeatedHost),
            ([("Content-Length ", "1")], .invalidName),
            ([("", "1")], .invalidName),
            ([("a b", "1")], .invalidName),
            ([("X", "a\u{1}")], .invalidValue),
            ([("X", "a\rb")], .invalidValue),
            ([("X", "a\u{7f}")], .invalidValue),
        ])
    func refused(_ headers: [(String, String)], _ fault: HeaderFault) {
        #expect(audit(headers).fault == fault)
    }
}
