import Inference
import Operators

/// Writes an answer as raw numbers: dense, or the three arrays of CSR.
enum OctetStreamAnswer {
    static func encode(_ result: InferenceResult, _ pool: BufferPool) -> EncodedAnswer {
        let request = result.request
        var headers = [
            (name: "Topk-Format", value: request.format.rawValue),
            (name: "Topk-Shape", value: request.shape.map { String($0) }.joined(separator: ",")),
            (name: "Topk-Nnz", value: String(result.nonzeroCount)),
            (name: "Topk-Dtype", value: request.x.dtype.rawValue),
        ]
        switch request.format {
        case .dense:
            return EncodedAnswer(headers: headers, body: dense(result, pool))
        case .csr:
            headers.append((name: "Topk-Index-Dtype", value: request.indexDType.rawValue))
            return EncodedAnswer(headers: headers, body: sparse(result, pool))
        }
    }

    /// indptr, indices, data; each zero-padded to a multiple of 8 bytes, so that a reader can view
    /// them in place.
    private static func sparse(_ result: InferenceResult, _ pool: BufferPool) -> RawBuffer {
        let indexBytes = result.request.indexDType.byteCount
        let valueBytes = result.request.x.dtype.byteCount
        let nonzeros = result.nonzeroCount
        let indices = padded((result.rowCount + 1) * indexBytes)
        let data = indices + padded(nonzeros * indexBytes)
        let end = data + padded(nonzeros * valueBytes)
        let buffer = pool.takeAdmitted(byteCount: end)
        buffer.count = end
        // The paddings are the last bytes of each section.
        for sectionEnd in [indices, data, end] where sectionEnd >= 8 {
            buffer.memory.storeBytes(of: 0, toByteOffset: sectionEnd - 8, as: UInt64.self)
        }
        var offset = 0
        buffer.store(0, at: &offset, result.request.indexDType)
        var total = 0
        var entry = 0
        result.forEachRun { rows, range in
            for row in range {
                total += rows.indptr[row + 1] - rows.indptr[row]
                buffer.store(total, at: &offset, result.request.indexDType)
            }
            let first = rows.indptr[range.lowerBound]
            let count = rows.indptr[range.upperBound] - first
            buffer.storeIndices(
                rows, first..<first + count, at: indices + entry * indexBytes,
                result.request.indexDType)
            if count > 0, let base = rows.data.baseAddress {
                (buffer.memory + data + entry * valueBytes).copyMemory(
                    from: base + first * valueBytes, byteCount: count * valueBytes)
            }
            entry += count
        }
        return buffer
    }

    private static func dense(_ result: InferenceResult, _ pool: BufferPool) -> RawBuffer {
        let valueBytes = result.request.x.dtype.byteCount
        let rowLength = result.request.answerShape.rowLength
        let byteCount = result.rowCount * rowLength * valueBytes
        let buffer = pool.takeAdmitted(byteCount: byteCount)
        buffer.count = byteCount
        buffer.memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        var row = 0
        result.forEachRun { rows, range in
            for index in range {
                let start = buffer.memory + row * rowLength * valueBytes
                rows.scatter(index, to: start)
                row += 1
            }
        }
        return buffer
    }

    private static func padded(_ byteCount: Int) -> Int { (byteCount + 7) & ~7 }
}

extension RawBuffer {
    fileprivate func store(_ value: Int, at offset: inout Int, _ dtype: IndexDType) {
        switch dtype {
        case .int32: memory.storeBytes(of: Int32(value), toByteOffset: offset, as: Int32.self)
        case .int64: memory.storeBytes(of: Int64(value), toByteOffset: offset, as: Int64.self)
        }
        offset += dtype.byteCount
    }

    fileprivate func storeIndices(
        _ rows: SparseRows, _ entries: Range<Int>, at offset: Int, _ dtype: IndexDType
    ) {
        guard !entries.isEmpty, let base = rows.indices.baseAddress else { return }
        switch dtype {
        case .int32:
            (memory + offset).copyMemory(
                from: base + entries.lowerBound, byteCount: entries.count * 4)
        case .int64:
            var at = offset
            for entry in entries { store(Int(rows.indices[entry]), at: &at, dtype) }
        }
    }
}

extension SparseRows {
    /// Writes one row's values to their columns; the rest of the row stays as it is.
    fileprivate func scatter(_ row: Int, to start: UnsafeMutableRawPointer) {
        for entry in indptr[row]..<indptr[row + 1] {
            let column = Int(indices[entry])
            switch dtype {
            case .float32:
                start.storeBytes(
                    of: data.load(fromByteOffset: 4 * entry, as: UInt32.self),
                    toByteOffset: 4 * column, as: UInt32.self)
            case .float64:
                start.storeBytes(
                    of: data.load(fromByteOffset: 8 * entry, as: UInt64.self),
                    toByteOffset: 8 * column, as: UInt64.self)
            }
        }
    }
}
