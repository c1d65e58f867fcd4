import CTextFloats
import Inference
import Operators

/// Writes an answer as JSON, numbers by shortest round-trip, into one recycled buffer.
enum JSONAnswer {
    static func encode(_ result: InferenceResult, _ pool: BufferPool) -> RawBuffer {
        let request = result.request
        let buffer = pool.takeAdmitted(byteCount: byteBound(result))
        var text = JSONWriter(buffer)
        text.append("{\"operator\":\"")
        text.append(request.op.descriptor.name)
        text.append("\",\"format\":\"")
        text.append(request.format.rawValue)
        text.append("\",\"shape\":[")
        text.append(request.shape.map { String($0) }.joined(separator: ","))
        text.append("],\"dtype\":\"")
        text.append(request.x.dtype.rawValue)
        switch request.format {
        case .csr: appendSparse(result, to: &text)
        case .dense: appendDense(result, to: &text)
        }
        text.append("}\n")
        return buffer
    }

    /// Room for the longest text that the answer can become.
    private static func byteBound(_ result: InferenceResult) -> Int {
        let nonzeros = result.nonzeroCount
        let perNumber = Int(CTextFloats_double_bytes)
        switch result.request.format {
        case .csr:
            let perEntry = perNumber + Int(CTextFloats_integer_bytes)
            return 1024 + 21 * (result.rowCount + 1) + nonzeros * perEntry
        case .dense:
            let zeros = result.rowCount * result.request.answerShape.rowLength
            return 1024 + 8 * result.rowCount + 2 * zeros + nonzeros * perNumber
        }
    }

    private static func appendSparse(_ result: InferenceResult, to text: inout JSONWriter) {
        text.append("\",\"indptr\":[0")
        var total = 0
        result.forEachRun { rows, range in
            for row in range {
                total += rows.indptr[row + 1] - rows.indptr[row]
                text.append(",")
                text.append(total)
            }
        }
        text.append("],\"indices\":[")
        var isFirst = true
        result.forEachRun { rows, range in
            text.appendIndices(rows, entries(rows, range), isFirst: &isFirst)
        }
        text.append("],\"data\":[")
        isFirst = true
        result.forEachRun { rows, range in
            text.appendValues(rows, entries(rows, range), isFirst: &isFirst)
        }
        text.append("]")
    }

    private static func entries(_ rows: SparseRows, _ range: Range<Int>) -> Range<Int> {
        rows.indptr[range.lowerBound]..<rows.indptr[range.upperBound]
    }

    /// Nested arrays in the answer's shape.
    private static func appendDense(_ result: InferenceResult, to text: inout JSONWriter) {
        text.append("\",\"data\":")
        // Rows of the last axis in each enclosing axis, innermost first: where brackets close.
        let outer = result.request.shape.dropLast().reversed()
        var periods: [Int] = []
        for length in outer { periods.append((periods.last ?? 1) * length) }
        var row = 0
        result.forEachRun { rows, range in
            for index in range {
                if row > 0 { text.append(",") }
                for period in periods where row % period == 0 { text.append("[") }
                text.appendDenseRow(rows, index)
                row += 1
                for period in periods where row % period == 0 { text.append("]") }
            }
        }
    }
}
