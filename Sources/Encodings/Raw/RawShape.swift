import Execution
import Operators

/// What the query and the body's length say about x's shape.
struct RawShape {
    let dtype: DType
    let rowLength: Int
    /// Whether x comes as one row [n].
    let isSingleRow: Bool
    private(set) var rowCount: Int
    /// Whether the query says B.
    private let saysRowCount: Bool
    /// G, where the query says it.
    var stackCount: Int?

    /// [n] or [B, n].
    var axes: [Int] { isSingleRow ? [rowLength] : [rowCount, rowLength] }
    /// Bytes of x.
    var xBytes: Int { rowCount * rowLength * dtype.byteCount }

    /// Of the query's n, or of its shape, "B,n" or "n".
    init(_ n: String?, _ shape: String?, _ dtype: DType) throws(ServiceError) {
        self.dtype = dtype
        guard let shape else {
            guard let n else {
                throw .missingParameter(name: "n", expected: "the length of a row (or shape=B,n)")
            }
            rowLength = try Self.count(n, "n", maximum: Limits.rowLengthMax)
            (isSingleRow, rowCount, saysRowCount) = (false, 0, false)
            return
        }
        if n != nil { throw .invalidQuery(reason: "n and shape say the same; give one of them") }
        let parts = shape.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 1 || parts.count == 2 else {
            throw .wrongShape(
                field: "shape", expected: "n or B,n", found: "\"\(shape.prefix(40))\"")
        }
        rowLength = try Self.count(
            String(parts[parts.count - 1]), "shape", maximum: Limits.rowLengthMax)
        isSingleRow = parts.count == 1
        saysRowCount = true
        rowCount =
            isSingleRow
            ? 1 : try Self.count(String(parts[0]), "shape", maximum: Limits.numbersBytesMax)
    }

    static func count(
        _ text: String, _ field: String, maximum: Int
    ) throws(ServiceError) -> Int {
        let expected = "a whole number from 1 to \(maximum)"
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
        guard isNumber else {
            throw .wrongType(.init(field), expected: expected, found: "\"\(text.prefix(40))\"")
        }
        guard let value = Int(text), value >= 1, value <= maximum else {
            throw .outOfRange(.init(field), expected: expected, found: String(text.prefix(40)))
        }
        return value
    }

    /// Checks B where the body's length does not say it: other things than rows of n follow x.
    func checkRowCount(bodyBytes: Int) throws(ServiceError) {
        guard saysRowCount else {
            throw .missingParameter(
                name: "shape", expected: "B,n (or n, for one row), beside what follows x")
        }
        let (numbers, overflow) = rowLength.multipliedReportingOverflow(by: rowCount)
        guard !overflow && numbers <= bodyBytes / dtype.byteCount else {
            throw .wrongBodyLength(
                expected: "\(rowCount) rows of \(rowLength) \(dtype.rawValue) numbers first",
                found: bodyBytes)
        }
    }

    /// B from the body's length; every product is checked.
    ///
    /// - Parameter sharing: rows of n in the body for each row of x.
    mutating func setRowCount(
        bodyBytes: Int, sharing: Int, _ stackName: String?
    ) throws(ServiceError) {
        let (numbers, overflow) = rowLength.multipliedReportingOverflow(by: sharing)
        let (rowBytes, rowOverflow) = numbers.multipliedReportingOverflow(by: dtype.byteCount)
        if overflow || rowOverflow || rowBytes > Limits.numbersBytesMax {
            throw .tooManyElements(field: "n", limit: Limits.numbersBytesMax)
        }
        let what = "\(rowLength) \(dtype.rawValue) numbers"
        let row = sharing == 1 ? what : "\(sharing) x \(what) (x and its \(stackName ?? "numbers"))"
        guard saysRowCount else {
            guard bodyBytes > 0, bodyBytes % rowBytes == 0 else {
                throw .wrongBodyLength(
                    expected: "a multiple of \(rowBytes) bytes: a row is \(row)", found: bodyBytes)
            }
            rowCount = bodyBytes / rowBytes
            return
        }
        let (total, totalOverflow) = rowBytes.multipliedReportingOverflow(by: rowCount)
        if totalOverflow || total > Limits.numbersBytesMax {
            throw .tooManyElements(field: "shape", limit: Limits.numbersBytesMax)
        }
        guard total == bodyBytes else {
            throw .wrongBodyLength(
                expected: "\(total) bytes: \(rowCount) rows of \(row)", found: bodyBytes)
        }
    }
}
