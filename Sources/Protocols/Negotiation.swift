import Encodings

/// Media types: what a request is, and what its answer should be, among some encodings.
package struct Negotiation: Sendable {
    private let encodings: [any Encoding.Type]
    /// All that are taken and given, for messages.
    private let mediaTypes: String

    package init(_ encodings: [any Encoding.Type]) {
        self.encodings = encodings
        mediaTypes = encodings.map { $0.mediaType }.joined(separator: ", ")
    }

    /// The place of the request's encoding.
    func request(_ head: RequestHead) throws(HeaderRefusal) -> Int {
        // As most write it; the long way takes a thirtieth of a small request's time.
        for place in encodings.indices
        where head.header(.contentType, equals: encodings[place].mediaType) { return place }
        return try request(contentType: head.header(.contentType))
    }

    /// The place of the answer's encoding.
    func answer(_ head: RequestHead, mirroring own: Int) throws(HeaderRefusal) -> Int {
        try answer(accept: head.header(.accept), mirroring: own)
    }

    /// By Content-Type, whose parameters such as charset are ignored.
    package func request(contentType: String?) throws(HeaderRefusal) -> Int {
        let essence = contentType.map { Self.essence($0[...]) }
        guard let place = encodings.firstIndex(where: { $0.mediaType == essence }) else {
            throw .unsupportedMediaType(found: contentType, known: mediaTypes)
        }
        return place
    }

    /// The acceptable one of highest quality; among equals the request's own before the others.
    /// Without Accept, or with */*, the answer mirrors the request.
    package func answer(accept: String?, mirroring own: Int) throws(HeaderRefusal) -> Int {
        guard let accept, !accept.isEmpty, accept != "*/*" else { return own }
        let ranges = accept.split(separator: ",").map { Range($0) }
        var best: (place: Int, quality: Double)?
        for place in [own] + encodings.indices.filter({ $0 != own }) {
            let quality = Self.quality(of: encodings[place].mediaType, in: ranges)
            if quality > best?.quality ?? 0 { best = (place, quality) }
        }
        guard let best else { throw .notAcceptable(accept: accept, known: mediaTypes) }
        return best.place
    }

    /// One member of an Accept header, RFC 9110 12.5.1.
    private struct Range {
        let type: String
        let quality: Double

        init(_ text: Substring) {
            type = Negotiation.essence(text)
            var quality = 1.0
            for parameter in text.split(separator: ";").dropFirst() {
                let sides = parameter.split(separator: "=", maxSplits: 1)
                guard sides.count == 2, Negotiation.trimmed(sides[0]).lowercased() == "q" else {
                    continue
                }
                let value = Double(Negotiation.trimmed(sides[1]))
                quality = value.map { min(max($0, 0), 1) } ?? 0
            }
            self.quality = quality
        }
    }

    /// The most specific range that covers the type decides.
    private static func quality(of mediaType: String, in ranges: [Range]) -> Double {
        let family = mediaType.prefix { $0 != "/" } + "/*"
        for pattern in [mediaType, String(family), "*/*"] {
            if let range = ranges.first(where: { $0.type == pattern }) { return range.quality }
        }
        return 0
    }

    /// "Application/JSON; charset=utf-8" -> "application/json".
    private static func essence(_ text: Substring) -> String {
        trimmed(text.prefix { $0 != ";" }).lowercased()
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }
}
