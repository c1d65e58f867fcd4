import ArgumentParser
import Glibc
import Operators

/// One side of bench_kernels.py: computes and times batches on one thread, as a worker does.
///
/// Reads commands from standard input, one a line, words separated by spaces, and answers each with
/// one line:
///
///     load FILE DTYPE ROWS N        reads raw little-endian numbers: x (and what follows it)
///     answer FILE OP DIRECTION ...  writes the dense answer as float64; "ok"
///     time SECONDS OP DIRECTION ... nanoseconds a number of x, the median of batches
///     threads SECONDS COUNT OP ...  the same by COUNT threads that share the blocks
///     sort SECONDS                  nanoseconds a number of x: pav's own sort of each row
///     memcpy SECONDS COUNT          nanoseconds a float, copying COUNT floats to COUNT floats
///
/// where "..." is G NAME=VALUE ...: the cotangents, and the parameters that are not left out;
/// an input is NAME=behind, and lies behind x as cotangents do.
@main
struct Kernels: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times topkd's kernels; driven by bench_kernels.py.")

    func run() throws {
        var bench = Bench()
        while let line = readLine() {
            let words = line.split(separator: " ").map { String($0) }
            guard let command = words.first else { continue }
            print(try bench.execute(command, Array(words.dropFirst())))
            fflush(nil)
        }
    }
}

struct BadCommand: Error {
    let words: [String]
}

struct Bench {
    private var x = DenseRows([[0.0]], dtype: .float32)
    /// The numbers behind x, for cotangents.
    private var buffer = RawBuffer(capacity: 0)
    private let workspace = Workspace()
    private let output = OperatorOutput()

    mutating func execute(_ command: String, _ words: [String]) throws -> String {
        switch (command, words.count) {
        case ("load", 4):
            guard let dtype = DType(rawValue: words[1]), let rows = Int(words[2]),
                let n = Int(words[3])
            else { throw BadCommand(words: words) }
            try load(words[0], dtype, rows, n)
            return "ok"
        case ("answer", 4...):
            let call = try Call(Array(words.dropFirst()), x, buffer)
            try write(call.answer(workspace, output), to: words[0])
            return "ok"
        case ("time", 4...):
            guard let seconds = Double(words[0]) else { throw BadCommand(words: words) }
            let call = try Call(Array(words.dropFirst()), x, buffer)
            let nanoseconds = try median(seconds) { try call.compute(workspace, output) }
            return "\(nanoseconds / Double(x.rowCount * x.rowLength))"
        case ("threads", 5...):
            guard let seconds = Double(words[0]), let count = Int(words[1]) else {
                throw BadCommand(words: words)
            }
            let call = try Call(Array(words.dropFirst(2)), x, buffer)
            let team = Team(count)
            let nanoseconds = median(seconds) { team.run(call) }
            return "\(nanoseconds / Double(x.rowCount * x.rowLength))"
        case ("sort", 1):
            guard let seconds = Double(words[0]) else { throw BadCommand(words: words) }
            let sorting = RowSorting(x)
            let nanoseconds = median(seconds) { sorting.run() }
            return "\(nanoseconds / Double(x.rowCount * x.rowLength))"
        case ("memcpy", 2):
            guard let seconds = Double(words[0]), let count = Int(words[1]) else {
                throw BadCommand(words: words)
            }
            return "\(memcpyNanoseconds(seconds, count) / Double(count))"
        default:
            throw BadCommand(words: words)
        }
    }

    private mutating func load(_ path: String, _ dtype: DType, _ rows: Int, _ n: Int) throws {
        guard let file = fopen(path, "rb") else { throw BadCommand(words: [path]) }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        let size = ftell(file)
        rewind(file)
        buffer = RawBuffer(capacity: size)
        guard fread(buffer.memory, 1, size, file) == size else { throw BadCommand(words: [path]) }
        x = DenseRows(buffer, dtype: dtype, rowCount: rows, rowLength: n)
    }

    private func write(_ values: [Double], to path: String) throws {
        guard let file = fopen(path, "wb") else { throw BadCommand(words: [path]) }
        defer { fclose(file) }
        fwrite(values, 8, values.count, file)
    }

    /// The median time of one call, over as many as fit into `seconds`, at least three; of a few
    /// calls together where they are short: to look at the clock takes as long as 80 numbers do.
    private func median(_ seconds: Double, _ body: () throws -> Void) rethrows -> Double {
        try body()
        let first = now()
        try body()
        let calls = max(1, Int(Self.callsNanoseconds / (now() - first)))
        var times: [Double] = []
        let end = now() + seconds * 1e9
        while times.count < 3 || now() < end {
            let start = now()
            for _ in 0..<calls { try body() }
            times.append((now() - start) / Double(calls))
        }
        times.sort()
        return times[times.count / 2]
    }

    /// Between two looks at the clock, at least.
    private static let callsNanoseconds = 20_000.0

    /// Between buffers that are together larger than any cache here: 512 MB and more in turn.
    private func memcpyNanoseconds(_ seconds: Double, _ count: Int) -> Double {
        let copies = max(1, (256 << 20) / (4 * count))
        let source = UnsafeMutablePointer<Float>.allocate(capacity: copies * count)
        let target = UnsafeMutablePointer<Float>.allocate(capacity: copies * count)
        defer {
            source.deallocate()
            target.deallocate()
        }
        source.initialize(repeating: 1, count: copies * count)
        target.initialize(repeating: 2, count: copies * count)
        return median(seconds) {
            for i in 0..<copies { memcpy(target + i * count, source + i * count, 4 * count) }
        } / Double(copies)
    }

    private func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}

/// One request's work.
struct Call: Sendable {
    private let op: any Operator
    private let direction: Direction
    private let x: DenseRows
    private let stack: StackedRows?
    private let parameters: ParameterValues
    private let specs: [TensorSpec]
    private let inputs: [InputTensor?]

    /// - Parameter words: OP DIRECTION G NAME=VALUE ...
    init(_ words: [String], _ x: DenseRows, _ buffer: RawBuffer) throws {
        guard let op = Registry.find(words[0]), let direction = Direction(rawValue: words[1]),
            let g = Int(words[2])
        else { throw BadCommand(words: words) }
        self.op = op
        self.direction = direction
        self.x = x
        var given: [String: String] = [:]
        for word in words.dropFirst(3) {
            let parts = word.split(separator: "=").map { String($0) }
            guard parts.count == 2 else { throw BadCommand(words: words) }
            given[parts[0]] = parts[1]
        }
        let values = try op.descriptor.parameters.map { spec in
            guard let text = given[spec.name] else {
                return spec.defaultParameter ?? .integers([0])
            }
            return try Self.value(text, spec)
        }
        parameters = ParameterValues(
            op.descriptor.parameters, values, given: Array(given.keys))
        specs = op.outputs(direction, parameters)
        let bytes = x.byteCount
        inputs = op.descriptor.inputs.map { spec in
            guard given[spec.name] == "behind" else { return nil }
            return .rows(
                DenseRows(
                    buffer, byteOffset: bytes, dtype: x.dtype, rowCount: x.rowCount,
                    rowLength: x.rowLength))
        }
        stack =
            direction == .forward
            ? nil
            : StackedRows(
                DenseRows(
                    buffer, byteOffset: bytes, dtype: x.dtype, rowCount: g * x.rowCount,
                    rowLength: x.rowLength), stackCount: g)
    }

    private static func value(_ text: String, _ spec: ParameterSpec) throws -> ParameterValue {
        switch spec.kind {
        case .integer:
            guard let value = Int(text) else { throw BadCommand(words: [text]) }
            return .integers([value])
        case .number(_, _, let fractions, _):
            guard let value = fractions[text] ?? Double(text) else {
                throw BadCommand(words: [text])
            }
            return .numbers([value])
        case .choice: return .word(text)
        case .subset: return .words([text])
        case .boolean: return .boolean(text == "true")
        }
    }

    var rowsPerBlock: Int { max(1, (1 << 16) / x.rowLength) }
    var blockCount: Int { (x.rowCount + rowsPerBlock - 1) / rowsPerBlock }

    /// All rows, in blocks as `Job` makes them.
    func compute(
        _ workspace: Workspace, _ output: OperatorOutput, _ each: () -> Void = {}
    ) throws {
        for index in 0..<blockCount {
            try computeBlock(index, workspace, output)
            each()
        }
    }

    func computeBlock(_ index: Int, _ workspace: Workspace, _ output: OperatorOutput) throws {
        let start = index * rowsPerBlock
        let rows = start..<min(x.rowCount, start + rowsPerBlock)
        output.reset(
            dtype: x.dtype, rowLength: x.rowLength,
            rowCapacity: rows.count * (stack?.stackCount ?? 1), specs)
        let block = RowBlock(
            x: x, rows: rows, parameters: parameters, inputs: inputs)
        try op.run(direction, block, stack, into: output, workspace)
    }

    func answer(_ workspace: Workspace, _ output: OperatorOutput) throws -> [Double] {
        var dense: [Double] = []
        try compute(workspace, output) {
            let rows = output.answer
            for row in 0..<rows.rowCount {
                var values = [Double](repeating: 0, count: rows.rowLength)
                for i in rows.indptr[row]..<rows.indptr[row + 1] {
                    guard let base = rows.data.baseAddress else { continue }
                    values[Int(rows.indices[i])] = rows.dtype.load(base, at: i)
                }
                dense += values
            }
        }
        return dense
    }
}
