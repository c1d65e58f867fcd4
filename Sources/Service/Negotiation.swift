import Codecs

/// Media types: what a request is, and what its answer should be.
enum Negotiation {
    /// All that are taken and given, for messages.
    static let mediaTypes = CodecRegistry.all.map { $0.mediaType }.joined(separator: ", ")

    /// The codec of a request, by its Content-Type (parameters such as charset are ignored).
    static func requestCodec(_ contentType: String?) throws(HeaderRefusal) -> any Codec.Type {
        guard let contentType, let codec = CodecRegistry.find(mediaType: essence(contentType[...]))
        else { throw .unsupportedMediaType(found: contentType) }
        return codec
    }

    /// The codec of the answer: the acceptable one of highest quality; among equals the request's
    /// own before the others. Without Accept, or with */*, the answer mirrors the request.
    static func answerCodec(_ accept: String?, mirroring own: any Codec.Type) throws(HeaderRefusal)
        -> any Codec.Type
    {
        guard let accept, !accept.isEmpty else { return own }
        let ranges = accept.split(separator: ",").map { Range($0) }
        let candidates = [own] + CodecRegistry.all.filter { $0.mediaType != own.mediaType }
        var best: (codec: any Codec.Type, quality: Double)?
        for codec in candidates {
            let quality = quality(of: codec.mediaType, in: ranges)
            if quality > best?.quality ?? 0 { best = (codec, quality) }
        }
        guard let best else { throw .notAcceptable(accept: accept) }
        return best.codec
    }

    /// One member of an Accept header, RFC 9110 12.5.1.
    private struct Range {
        let type: String
        let quality: Double

        init(_ text: Substring) {
            type = essence(text)
            var quality = 1.0
            for parameter in text.split(separator: ";").dropFirst() {
                let sides = parameter.split(separator: "=", maxSplits: 1)
                guard sides.count == 2, trimmed(sides[0]).lowercased() == "q" else { continue }
                quality = Double(trimmed(sides[1])).map { min(max($0, 0), 1) } ?? 0
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
