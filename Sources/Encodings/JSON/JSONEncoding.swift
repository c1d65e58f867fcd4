import Execution
import Operators

/// application/json: parameters and tensors are members of one object.
package enum JSONEncoding: Encoding {
    package static var name: String { "json" }
    package static var mediaType: String { "application/json" }
    package static var carriesDocuments: Bool { true }
    package static var paddingBytes: Int { Limits.bodyPaddingBytes }

    package static func workingBytes(bodyBytes: Int) -> Int {
        Limits.jsonWorkingBytesPerBodyByte * bodyBytes
    }

    package static func open(
        _ message: Message, _ scratch: inout AnyObject, _ pool: BufferPool
    ) throws(ServiceError) -> any TensorSource {
        if let item = message.query.items.first {
            throw .misplacedParameter(name: item.name, belongs: "the JSON body, not the query")
        }
        let reader = scratch as? JSONReader ?? JSONReader()
        // simdjson keeps memory for the largest document it has seen: not for huge ones.
        let isKept = message.body.count <= Limits.keptScratchBodyBytesMax
        if isKept { scratch = reader }
        try reader.scan(message.body)
        return JSONSource(reader: reader, bodyBytes: message.body.count, pool: pool)
    }

    package static func encode(
        _ result: borrowing InvocationResult, _ pool: BufferPool
    ) throws(ServiceError) -> RawBuffer {
        if let document = result.document { return try JSONDocument.encode(document, pool) }
        return try JSONAnswer.encode(result, pool)
    }
}
