import Execution
import Operators

/// Further inputs in a raw body: the query lists them (`inputs=residual`), and they lie behind x,
/// before cotangents, in that order. As in answers, what lies before something else is zero-padded
/// to a multiple of 8 bytes, and a list of columns is two sections, indptr and indices: what an
/// answer brought can go back as it is.
final class RawInputs {
    /// Names of the inputs that the body has, in its order.
    let names: [String]
    private let body: RawBuffer
    private let shape: RawShape
    private let specs: [TensorSpec]
    private let indexDType: IndexDType
    /// The first byte that has not been read.
    private var offset: Int
    /// Read when the first of them is asked for, in the body's order.
    private var found: [Found] = []

    enum Found {
        /// Rows as x, from this byte on.
        case rows(Int)
        case lists(IndexLists)
    }

    /// - Parameter specs: of the procedure.
    init(
        _ body: RawBuffer, _ shape: RawShape, _ names: [String], _ specs: [TensorSpec],
        _ indexDType: IndexDType
    ) {
        self.body = body
        self.shape = shape
        self.names = names
        self.specs = specs
        self.indexDType = indexDType
        offset = names.isEmpty ? shape.xBytes : Self.padded(shape.xBytes)
    }

    /// The input called `name`; nil if it did not come.
    func find(_ name: String) throws(ServiceError) -> Found? {
        while found.count < names.count {
            let next = names[found.count]
            let isLists = specs.contains { $0.name == next && $0.shape == .indices }
            found.append(isLists ? .lists(try lists(next)) : .rows(try take(next, shape.xBytes)))
        }
        return names.firstIndex(of: name).map { found[$0] }
    }

    /// Where the cotangents or tangents begin, to which the rest of the body must amount.
    func takeLast(_ axes: [Int]) throws(ServiceError) -> Int {
        var count = 1
        for length in axes {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            if overflow || product > Limits.numbersBytesMax / shape.dtype.byteCount {
                throw .tooManyElements(field: "n", limit: Limits.numbersBytesMax)
            }
            count = product
        }
        let start = try take(
            "the cotangents or tangents", count * shape.dtype.byteCount, isLast: true)
        try checkEnd()
        return start
    }

    /// Nothing may be left over.
    func checkEnd() throws(ServiceError) {
        guard offset == body.count else {
            throw .wrongBodyLength(expected: "\(offset) bytes", found: body.count)
        }
    }

    private func lists(_ name: String) throws(ServiceError) -> IndexLists {
        let type = indexDType
        let (rowCount, rowLength) = (shape.rowCount, shape.rowLength)
        let indptrStart = try take("\(name).indptr", (rowCount + 1) * type.byteCount)
        var indptr: [Int] = []
        indptr.reserveCapacity(rowCount + 1)
        for row in 0...rowCount {
            let end = type.load(body.memory, byteOffset: indptrStart + row * type.byteCount)
            let last = indptr.last ?? 0
            let limit = row == 0 ? 0 : last + rowLength
            guard end >= last && end <= limit else {
                throw .outOfRange(
                    .init("\(name).indptr", [row]),
                    expected: row == 0 ? "0" : "from \(last) to \(limit)", found: "\(end)")
            }
            indptr.append(end)
        }
        let start = try take("\(name).indices", (indptr.last ?? 0) * type.byteCount)
        let isSingleRow = shape.isSingleRow
        return try IndexLists(indptr: indptr) { (row, i, entry) throws(ServiceError) in
            let column = type.load(body.memory, byteOffset: start + entry * type.byteCount)
            return try RawValue.column(
                Double(column), .init(name, isSingleRow ? [i] : [row, i]), rowLength: rowLength)
        }
    }

    /// Where the next section of so many bytes starts; it ends within the body.
    private func take(
        _ what: String, _ byteCount: Int, isLast: Bool = false
    ) throws(ServiceError) -> Int {
        let start = offset
        let end = start + (isLast ? byteCount : Self.padded(byteCount))
        guard end <= body.count else {
            throw .wrongBodyLength(
                expected: "at least \(end) bytes, the last of them for \(what)",
                found: body.count)
        }
        offset = end
        return start
    }

    private static func padded(_ byteCount: Int) -> Int { (byteCount + 7) & ~7 }
}

extension IndexDType {
    fileprivate func load(_ memory: UnsafeRawPointer, byteOffset: Int) -> Int {
        switch self {
        case .int32: Int(memory.loadUnaligned(fromByteOffset: byteOffset, as: Int32.self))
        case .int64: Int(memory.loadUnaligned(fromByteOffset: byteOffset, as: Int64.self))
        }
    }
}
