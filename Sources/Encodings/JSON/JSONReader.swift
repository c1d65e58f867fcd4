import CTextFloats
import Execution
import Operators

/// A scanned JSON object; simdjson behind a C shim. The bytes are read where they lie, numbers go
/// straight into the buffer that kernels read.
final class JSONReader {
    private let reader: OpaquePointer
    private var names: [String] = []

    init() { reader = CTextFloats_create() }

    deinit { CTextFloats_destroy(reader) }

    /// Checks the document and lists its members. `body` has `Limits.bodyPaddingBytes` to spare.
    func scan(_ body: RawBuffer) throws(ServiceError) {
        precondition(body.capacity - body.count >= Limits.bodyPaddingBytes)
        let result = CTextFloats_scan(
            reader, UnsafePointer(body.memory.assumingMemoryBound(to: CChar.self)), body.count,
            body.count + Limits.bodyPaddingBytes)
        names = (0..<CTextFloats_field_count(reader)).map { index in
            let field = CTextFloats_field(reader, index)
            return Self.text(field.name, field.name_length)
        }
        try check(result, result.field < 0 ? "body" : names[result.field])
    }

    var memberNames: [String] { names }

    func contains(_ name: String) -> Bool { names.contains(name) }

    /// What a member may hold if it is an array.
    enum Elements {
        case none
        /// One number a row, for at most this many rows.
        case numbers(Int)
        case words

        init(_ spec: ParameterSpec, rowCount: Int) {
            self = spec.isPerRow ? .numbers(rowCount) : .none
            if case .subset = spec.kind { self = .words }
        }
    }

    /// A member's value.
    func value(_ name: String, _ elements: Elements = .none) throws(ServiceError) -> RawValue? {
        guard let index = names.firstIndex(of: name) else { return nil }
        let field = CTextFloats_field(reader, index)
        switch field.kind {
        case CTextFloats_number: return .number(field.number)
        case CTextFloats_string: return .text(Self.text(field.text, field.text_length))
        case CTextFloats_boolean: return .boolean(field.number != 0)
        case CTextFloats_array:
            switch elements {
            case .none: return .other(Self.kindName(field.kind))
            case .words: return try words(name, index)
            case .numbers(let countMax): return try numbers(name, index, countMax: countMax)
            }
        default: return .other(Self.kindName(field.kind))
        }
    }

    private func words(_ name: String, _ index: Int) throws(ServiceError) -> RawValue {
        var found = [CTextFloats_Word](repeating: .init(), count: Limits.wordsMax)
        let result = CTextFloats_read_words(reader, index, &found, found.count)
        if result.status == CTextFloats_no_room {
            throw .outOfRange(
                .init(name), expected: "at most \(Limits.wordsMax) words", found: "more")
        }
        if result.status == CTextFloats_wrong_kind {
            throw .wrongType(
                .init(name), expected: "an array of words", found: Self.kindName(result.kind))
        }
        try check(result, name)
        return .texts(found.prefix(result.count).map { Self.text($0.text, $0.length) })
    }

    private func numbers(
        _ name: String, _ index: Int, countMax: Int
    ) throws(ServiceError) -> RawValue {
        var result = CTextFloats_Result()
        let values = [Double](unsafeUninitializedCapacity: countMax) { buffer, count in
            result = CTextFloats_read_doubles(reader, index, false, buffer.baseAddress, countMax)
            count = result.count
        }
        if result.status == CTextFloats_no_room {
            throw .wrongShape(
                field: name, expected: "one number, or \(countMax), one for each row",
                found: "more than \(countMax) numbers")
        }
        try check(result, name)
        return result.rank == 1 && values.count == Int(result.shape.0)
            ? .numbers(values) : .other("a nested array")
    }

    /// Reads lists of columns: one list (for a single row, where `rowCount` is nil) or one a row.
    func lists(
        _ name: String, rowCount: Int?, rowLength: Int, bodyBytes: Int, _ pool: BufferPool
    ) throws(ServiceError) -> IndexLists? {
        guard let index = names.firstIndex(of: name) else { return nil }
        let expected = rowCount.map { "\($0) lists of columns, one for each row" }
        let kind = CTextFloats_field(reader, index).kind
        guard kind == CTextFloats_array else {
            throw .wrongType(
                .init(name), expected: expected ?? "a list of columns",
                found: Self.kindName(kind))
        }
        let capacity = bodyBytes / 2 + 1
        let buffer = pool.takeAdmitted(byteCount: capacity * MemoryLayout<Double>.stride)
        let numbers = buffer.memory.assumingMemoryBound(to: Double.self)
        var result = CTextFloats_Result()
        let endsMax = rowCount ?? 1
        let ends = [Int](unsafeUninitializedCapacity: endsMax) { buffer, count in
            result = CTextFloats_read_lists(
                reader, index, numbers, capacity, buffer.baseAddress, endsMax)
            count = result.status == CTextFloats_ok ? Int(result.shape.0) : 0
        }
        let isRight = result.rank == (rowCount == nil ? 1 : 2) && ends.count == endsMax
        if result.status == CTextFloats_no_room || (result.status == CTextFloats_ok && !isRight) {
            throw .wrongShape(
                field: name, expected: expected ?? "one list of columns",
                found: result.rank == 1
                    ? "one list"
                    : result.status == CTextFloats_ok ? "\(ends.count)" : "more than that")
        }
        try check(result, name)
        return try IndexLists(indptr: [0] + ends) { (row, i, entry) throws(ServiceError) in
            let place = ServiceError.Place(name, rowCount == nil ? [i] : [row, i])
            return try RawValue.column(
                DType.float64.load(buffer.memory, at: entry), place, rowLength: rowLength)
        }
    }

    /// Reads a member of any kind as a tree.
    func document(_ name: String) throws(ServiceError) -> Document? {
        guard let index = names.firstIndex(of: name) else { return nil }
        let builder = JSONDocumentBuilder()
        let result = CTextFloats_walk(
            reader, index, Unmanaged.passUnretained(builder).toOpaque(), documentEvent)
        if result.status == CTextFloats_no_room {
            throw .outOfRange(
                .init(name), expected: "at most \(Limits.documentValuesMax) values", found: "more")
        }
        try check(result, name)
        return builder.result
    }

    /// Reads an array member of `dtype` into a fresh buffer; its shape has 1 to 4 axes.
    func tensor(
        _ name: String, _ dtype: DType, bodyBytes: Int, takesNegativeInfinity: Bool,
        _ pool: BufferPool, _ form: ServiceError.Place.Form = .init()
    ) throws(ServiceError) -> (buffer: RawBuffer, shape: [Int])? {
        guard let index = names.firstIndex(of: name) else { return nil }
        let kind = CTextFloats_field(reader, index).kind
        guard kind == CTextFloats_array else {
            throw .wrongType(
                .init(name), expected: "an array of numbers", found: Self.kindName(kind))
        }
        // A number and its comma take two bytes at least.
        let capacity = bodyBytes / 2 + 1
        // 16-bit floats are rounded once, from the double that was read.
        let readType: DType = dtype == .float32 ? .float32 : .float64
        let buffer = pool.takeAdmitted(byteCount: capacity * readType.byteCount)
        let result =
            readType == .float32
            ? CTextFloats_read_floats(
                reader, index, takesNegativeInfinity,
                buffer.memory.assumingMemoryBound(to: Float.self), capacity)
            : CTextFloats_read_doubles(
                reader, index, takesNegativeInfinity,
                buffer.memory.assumingMemoryBound(to: Double.self), capacity)
        try check(result, name, dtype, form)
        buffer.count = result.count * dtype.byteCount
        let axes = [result.shape.0, result.shape.1, result.shape.2, result.shape.3]
        let shape = axes.prefix(result.rank).map { Int($0) }
        // Whatever the reader did: an answer must never show what the buffer held before.
        guard shape.reduce(1, *) == result.count else {
            throw .wrongType(.init(name), expected: "rows of numbers", found: "empty arrays")
        }
        if dtype != readType { try narrow(name, buffer, result.count, shape, dtype) }
        return (buffer, shape)
    }

    /// Doubles to 16-bit floats, in place: each is written before the next is read.
    private func narrow(
        _ name: String, _ buffer: RawBuffer, _ count: Int, _ shape: [Int], _ dtype: DType
    ) throws(ServiceError) {
        for i in 0..<count {
            let value = DType.float64.load(buffer.memory, at: i)
            if value.isFinite && dtype.overflows(value) {
                var position: [Int] = []
                var rest = i
                for length in shape.reversed() {
                    position.insert(rest % length, at: 0)
                    rest /= length
                }
                throw Self.beyondType(.init(name, position), dtype)
            }
            dtype.store(value, buffer.memory, at: i)
        }
    }

    private static func beyondType(_ place: ServiceError.Place, _ dtype: DType) -> ServiceError {
        .outOfRange(
            place, expected: "a number that \(dtype.rawValue) can hold",
            found: "a magnitude above \(dtype.greatestFiniteMagnitude)")
    }

    private func check(
        _ result: CTextFloats_Result, _ field: String, _ dtype: DType = .float64,
        _ form: ServiceError.Place.Form = .init()
    ) throws(ServiceError) {
        let positions = [
            result.position.0, result.position.1, result.position.2, result.position.3,
        ]
        // A ragged row lies one axis above its numbers.
        let axes = max(result.rank, result.status == CTextFloats_ragged ? result.depth + 1 : 0)
        let place = ServiceError.Place(
            field, positions.prefix(result.depth).map { Int($0) }, axes: Int(axes), form: form)
        switch result.status {
        case CTextFloats_ok:
            return
        case CTextFloats_not_an_object:
            throw .invalidJSON(
                reason: "the body must be a JSON object, such as {\"x\": [3, 1, 2], \"k\": 2}")
        case CTextFloats_duplicate_key:
            throw .duplicateKey(field)
        case CTextFloats_too_many_fields:
            throw .invalidJSON(reason: "the object has more than 64 members")
        case CTextFloats_number_too_large:
            throw .numberBeyondDouble(place)
        case CTextFloats_beyond_type:
            throw Self.beyondType(place, dtype)
        case CTextFloats_too_deep:
            throw .nestedTooDeep(.init(field))
        case CTextFloats_ragged:
            throw .raggedRows(place, expected: Int(result.expected), found: Int(result.found))
        case CTextFloats_wrong_kind:
            // A number is wrong where the entries before it were rows.
            let expected =
                result.kind == CTextFloats_number ? "a row, as those before it" : "a number"
            throw .wrongType(place, expected: expected, found: Self.kindName(result.kind))
        case CTextFloats_not_finite:
            throw .notFinite(place, found: String(cString: result.message))
        default:
            throw .invalidJSON(
                reason: field == "body"
                    ? String(cString: result.message)
                    : "\(field): \(String(cString: result.message))")
        }
    }

    private static func kindName(_ kind: CTextFloats_Kind) -> String {
        switch kind {
        case CTextFloats_number: "a number"
        case CTextFloats_string: "a string"
        case CTextFloats_boolean: "a boolean"
        case CTextFloats_null: "null"
        case CTextFloats_array: "an array"
        default: "an object"
        }
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        String(
            decoding: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count),
            as: UTF8.self)
    }
}

private let documentEvent:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CTextFloats_Event>?) -> Bool = {
        builder, event in
        guard let builder, let event else { return false }
        return Unmanaged<JSONDocumentBuilder>.fromOpaque(builder).takeUnretainedValue()
            .event(event.pointee)
    }
