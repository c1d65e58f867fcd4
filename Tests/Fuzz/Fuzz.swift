import Encodings
import Execution
import Operators
import Protocols

@testable import MicroHTTPD
@testable import Service

/// What libFuzzer calls; TOPKD_FUZZ_TARGET chooses a decoder. Built by script/fuzz only.
///
/// Catches whatever a client's bytes can do to a decoder beyond an error: traps, reads past the
/// end (with AddressSanitizer), hangs, a request that is taken and then breaks the kernels.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    Target.current.run(UnsafeBufferPointer(start: data, count: data == nil ? 0 : size))
    return 0
}

enum Target: String, CaseIterable {
    case json
    case document
    case octets
    case query
    case inflate
    case header
    case accept

    static let current: Target = {
        let name = environment("TOPKD_FUZZ_TARGET") ?? ""
        guard let target = Target(rawValue: name) else {
            fatalError("TOPKD_FUZZ_TARGET must be one of \(allCases.map { $0.rawValue })")
        }
        return target
    }()

    func run(_ bytes: UnsafeBufferPointer<UInt8>) {
        switch self {
        case .json: Fuzzer.shared.decode(JSONEncoding.self, query: "", Array(bytes))
        case .document: Fuzzer.shared.readDocuments(Array(bytes))
        case .octets: Fuzzer.shared.decodeOctets(bytes)
        case .query: _ = try? Query.parse(Self.text(bytes)[...])
        case .inflate: Fuzzer.shared.inflate(bytes)
        case .header: Self.audit(bytes)
        case .accept: Self.negotiate(Self.text(bytes))
        }
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Header lines as the library hands them over: "name:value" until LF.
    private static func audit(_ bytes: UnsafeBufferPointer<UInt8>) {
        var audit = HeaderAudit(HeaderTable(HeaderName.kept))
        for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
            let name = line.prefix { $0 != 58 }
            let value = line.dropFirst(name.count + 1)
            audit.visit(
                name: UnsafeBufferPointer(rebasing: name),
                value: UnsafeBufferPointer(rebasing: value))
        }
        audit.finish(isVersion11: bytes.count % 2 == 0)
        // What was let through says one thing about the body.
        if audit.fault == nil {
            precondition(!(audit.framing.isChunked && audit.framing.contentLength != nil))
            precondition((audit.framing.contentLength ?? 0) >= 0)
        }
    }

    private static func negotiate(_ text: String) {
        let negotiation = Negotiation(EncodingRegistry.all)
        let place = (try? negotiation.request(contentType: text)) ?? 0
        _ = try? negotiation.answer(accept: text, mirroring: place)
    }
}
