/// One answer as it lay on the wire.
struct RawAnswer {
    let status: Int
    /// Lower-case names.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// All whole answers in `bytes`, the number of 100 Continue among them, and what is left over.
    ///
    /// - Parameter heads: positions of answers to HEAD.
    static func parse(
        _ bytes: [UInt8], heads: Set<Int> = []
    ) -> (answers: [RawAnswer], interims: Int, rest: ArraySlice<UInt8>) {
        var rest = bytes[...]
        var answers: [RawAnswer] = []
        var interims = 0
        while let (answer, next) = one(rest, isHead: heads.contains(answers.count)) {
            rest = next
            if answer.status == 100 { interims += 1 } else { answers.append(answer) }
        }
        return (answers, interims, rest)
    }

    /// The same without the second of two equal heads at the start.
    static func withoutRepeatedHead(_ bytes: [UInt8]) -> [UInt8] {
        guard let end = endOfHead(bytes[...]) else { return bytes }
        let head = bytes[..<(end + 4)]
        return bytes[head.endIndex...].starts(with: head) ? Array(bytes[head.endIndex...]) : bytes
    }

    private static func one(
        _ bytes: ArraySlice<UInt8>, isHead: Bool
    ) -> (RawAnswer, ArraySlice<UInt8>)? {
        guard let end = endOfHead(bytes) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0",
            let status = Int(words[1])
        else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers[line[..<colon].lowercased()] = String(value)
        }
        let length = isHead ? 0 : Int(headers["content-length"] ?? "0") ?? 0
        guard bytes.endIndex - (end + 4) >= length else { return nil }
        let body = Array(bytes[(end + 4)..<(end + 4 + length)])
        return (
            RawAnswer(status: status, headers: headers, body: body),
            bytes[(end + 4 + length)...]
        )
    }

    private static func endOfHead(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (bytes.startIndex...bytes.endIndex - 4).first {
            bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
        }
    }
}
