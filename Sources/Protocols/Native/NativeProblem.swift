import Execution
import FoundationEssentials
import MicroHTTPD

/// Errors of the native protocol: RFC 9457 problem+json.
struct NativeProblem: Encodable {
    static let mediaType = "application/problem+json"

    private let problem: Problem
    private let requestID: String

    private enum Key: String, CodingKey {
        case type, title, status, code, detail, field, cotangent, tangent, row, column, expected,
            found
        case requestID = "request_id"
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode("about:blank", forKey: .type)
        try object.encode(problem.code.title, forKey: .title)
        try object.encode(problem.code.status, forKey: .status)
        try object.encode(problem.code.rawValue, forKey: .code)
        try object.encode(Self.shortened(problem.detail), forKey: .detail)
        try object.encodeIfPresent(problem.field.map(Self.shortened), forKey: .field)
        try object.encodeIfPresent(problem.cotangent, forKey: .cotangent)
        try object.encodeIfPresent(problem.tangent, forKey: .tangent)
        try object.encodeIfPresent(problem.row, forKey: .row)
        try object.encodeIfPresent(problem.column, forKey: .column)
        try object.encodeIfPresent(problem.expected.map(Self.shortened), forKey: .expected)
        try object.encodeIfPresent(problem.found.map(Self.shortened), forKey: .found)
        try object.encode(requestID, forKey: .requestID)
    }

    /// A client's words come back in messages; more than these bytes of each help nobody.
    private static let textBytesMax = 1000

    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > textBytesMax else { return text }
        // By scalars: a single character can be of any length.
        var kept = String.UnicodeScalarView()
        var byteCount = 0
        for scalar in text.unicodeScalars {
            byteCount += UTF8.width(scalar)
            if byteCount > textBytesMax { break }
            kept.append(scalar)
        }
        return String(kept) + "..."
    }

    /// The HTTP answer.
    static func reply(_ problem: Problem, requestID: String) -> Reply {
        let text = JSONText.encode(NativeProblem(problem: problem, requestID: requestID))
        let reply = Reply(status: problem.code.status, contentType: mediaType, text: text)
        problem.addHeaders(to: reply)
        return reply
    }
}

/// Encodable values as one line of JSON with sorted keys.
package enum JSONText {
    package static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("values of ours are always encodable")
        }
        return String(decoding: data, as: UTF8.self) + "\n"
    }
}
