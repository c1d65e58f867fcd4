import Operators

/// Raw little-endian numbers, as clients write and read them; written apart from the codec.
package enum Wire {
    package static func bytes(_ values: [Double], _ dtype: DType) -> [UInt8] {
        values.flatMap { value -> [UInt8] in
            switch dtype {
            case .float16: withUnsafeBytes(of: Float16(value)) { Array($0) }
            case .bfloat16: withUnsafeBytes(of: bfloat16(value)) { Array($0) }
            case .float32: withUnsafeBytes(of: Float(value)) { Array($0) }
            case .float64: withUnsafeBytes(of: value) { Array($0) }
            }
        }
    }

    /// The nearest bfloat16, of two ties the even one: tried out.
    private static func bfloat16(_ value: Double) -> UInt16 {
        let near = UInt16(Float(abs(value)).bitPattern >> 16)
        var best = near
        for candidate in [near &- 1, near, near + 1] where candidate <= 0x7f7f {
            let distance = abs(Double(Float(bitPattern: UInt32(candidate) << 16)) - abs(value))
            let least = abs(Double(Float(bitPattern: UInt32(best) << 16)) - abs(value))
            if distance < least || (distance == least && candidate % 2 == 0) { best = candidate }
        }
        return value.sign == .minus ? best | 0x8000 : best
    }

    /// The sections of a binary reply by name: those of Topk-Sections, or of its format.
    package static func sections(_ response: HTTPClient.Response) -> [String: [Double]]? {
        guard let listed = response.header("Topk-Sections") ?? ownSections(response) else {
            return nil
        }
        var sections: [String: [Double]] = [:]
        var offset = 0
        for part in listed.split(separator: ",") {
            let words = part.split(separator: ":").map { String($0) }
            guard words.count == 3, let count = Int(words[2]) else { return nil }
            let sizes = ["int32": 4, "int64": 8, "bool": 1]
            let dtype = DType(rawValue: words[1])
            guard let size = dtype?.byteCount ?? sizes[words[1]] else { return nil }
            guard offset + size * count <= response.body.count else { return nil }
            let bytes = response.body[offset..<offset + size * count]
            sections[words[0]] =
                if let dtype {
                    numbers(bytes, dtype)
                } else if size == 1 {
                    bytes.map { Double($0) }
                } else {
                    integers(bytes, byteCount: size).map { Double($0) }
                }
            offset += (size * count + 7) / 8 * 8
        }
        // A dense reply alone has no padding behind it.
        return offset == response.body.count || sections.count == 1 ? sections : nil
    }

    private static func ownSections(_ response: HTTPClient.Response) -> String? {
        guard let format = response.header("Topk-Format"),
            let dtype = response.header("Topk-Dtype"),
            let nnz = response.header("Topk-Nnz"),
            let shape = response.header("Topk-Shape")?.split(separator: ",").map({ Int($0)! })
        else { return nil }
        let index = response.header("Topk-Index-Dtype") ?? ""
        let rows = shape.dropLast().reduce(1, *)
        switch format {
        case "dense": return "data:\(dtype):\(shape.reduce(1, *))"
        case "padded":
            guard let width = response.header("Topk-Width").flatMap({ Int($0) }) else { return nil }
            return "indices:\(index):\(rows * width),data:\(dtype):\(rows * width)"
        default: return "indptr:\(index):\(rows + 1),indices:\(index):\(nnz),data:\(dtype):\(nnz)"
        }
    }

    package static func numbers(_ bytes: some Collection<UInt8>, _ dtype: DType) -> [Double] {
        let bytes = Array(bytes)
        return stride(from: 0, to: bytes.count, by: dtype.byteCount).map { offset in
            bytes.withUnsafeBytes { raw in
                switch dtype {
                case .float16:
                    Double(raw.loadUnaligned(fromByteOffset: offset, as: Float16.self))
                case .bfloat16:
                    Double(
                        Float(
                            bitPattern: UInt32(
                                raw.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) << 16))
                case .float32: Double(raw.loadUnaligned(fromByteOffset: offset, as: Float.self))
                case .float64: raw.loadUnaligned(fromByteOffset: offset, as: Double.self)
                }
            }
        }
    }

    package static func integers(_ bytes: some Collection<UInt8>, byteCount: Int) -> [Int] {
        let bytes = Array(bytes)
        return stride(from: 0, to: bytes.count, by: byteCount).map { offset in
            bytes.withUnsafeBytes { raw in
                byteCount == 4
                    ? Int(raw.loadUnaligned(fromByteOffset: offset, as: Int32.self))
                    : Int(raw.loadUnaligned(fromByteOffset: offset, as: Int64.self))
            }
        }
    }

    /// The three arrays of a binary csr reply, by its headers; nil if they do not fit the body.
    package static func csr(
        _ response: HTTPClient.Response
    ) -> (indptr: [Int], indices: [Int], data: [Double])? {
        guard response.header("Topk-Format") == "csr",
            let nnz = response.header("Topk-Nnz").flatMap({ Int($0) }),
            let dtype = response.header("Topk-Dtype").flatMap({ DType(rawValue: $0) }),
            let indexDType = response.header("Topk-Index-Dtype"),
            let shape = response.header("Topk-Shape")?.split(separator: ",").map({ Int($0)! })
        else { return nil }
        func padded(_ count: Int) -> Int { (count + 7) / 8 * 8 }
        let indexBytes = indexDType == "int64" ? 8 : 4
        let rows = shape.dropLast().reduce(1, *)
        let indicesAt = padded((rows + 1) * indexBytes)
        let dataAt = indicesAt + padded(nnz * indexBytes)
        guard response.body.count == dataAt + padded(nnz * dtype.byteCount) else { return nil }
        let body = response.body
        return (
            integers(body[..<((rows + 1) * indexBytes)], byteCount: indexBytes),
            integers(body[indicesAt..<indicesAt + nnz * indexBytes], byteCount: indexBytes),
            numbers(body[dataAt..<dataAt + nnz * dtype.byteCount], dtype)
        )
    }

    /// A binary csr reply as dense rows.
    package static func dense(_ response: HTTPClient.Response, rowLength: Int) -> [[Double]]? {
        guard let (indptr, indices, data) = csr(response) else { return nil }
        return (0..<indptr.count - 1).map { row in
            var dense = [Double](repeating: 0, count: rowLength)
            for entry in indptr[row]..<indptr[row + 1] { dense[indices[entry]] = data[entry] }
            return dense
        }
    }
}
