import Fixtures
import Operators
import Testing

/// 16-bit types, and what is done with numbers that do not fit.
@Suite struct TypeTests {
    // Catches: a wrong exponent, a lost subnormal, a sign, in either direction.
    @Test("every 16-bit pattern is the number that it spells")
    func patterns() {
        for pattern in UInt16.min...UInt16.max {
            let bytes = withUnsafeBytes(of: pattern) { Array($0) }
            bytes.withUnsafeBytes { raw in
                let half = DType.float16.load(raw.baseAddress!, at: 0)
                let expected = Double(Float16(bitPattern: pattern))
                #expect(half == expected || (half.isNaN && expected.isNaN), "\(pattern)")
                let brain = DType.bfloat16.load(raw.baseAddress!, at: 0)
                let wide = Double(Float(bitPattern: UInt32(pattern) << 16))
                #expect(brain == wide || (brain.isNaN && wide.isNaN), "\(pattern)")
            }
        }
    }

    // Catches: rounding twice, ties that are not to even, carries and overflow done wrong.
    @Test("numbers are rounded once to 16 bits, ties to even, clamped to the finite range")
    func rounding() {
        var random = SplitMix64(seed: 31)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        func stored(_ value: Double, _ dtype: DType) -> Double {
            dtype.store(value, memory, at: 0)
            return dtype.load(memory, at: 0)
        }
        for _ in 0..<200_000 {
            let value = Double(bitPattern: UInt64.random(in: 0 ... .max, using: &random))
            guard value.isFinite else { continue }
            let scaled =
                value.significand
                * Double(sign: value.sign, exponent: Int(value.exponent) % 32, significand: 1)
            let half = Float16(scaled)
            let expected = half.isFinite ? Double(half) : (scaled < 0 ? -65504 : 65504)
            #expect(stored(scaled, .float16) == expected, "\(scaled)")
        }
        // Half-way between two neighbours, and one part in 2^40 beside it: through Float the last
        // two would be ties.
        for dtype in [DType.float16, .bfloat16] {
            let ulp = dtype == .float16 ? 0x1p-10 : 0x1p-7
            #expect(stored(1 + ulp / 2, dtype) == 1)
            #expect(stored(1 + ulp * 1.5, dtype) == 1 + 2 * ulp)
            #expect(stored(1 + ulp / 2 + 0x1p-40, dtype) == 1 + ulp)
            #expect(stored(1 + ulp * 1.5 - 0x1p-40, dtype) == 1 + ulp)
            #expect(stored(1e300, dtype) == dtype.greatestFiniteMagnitude)
            #expect(stored(-1e300, dtype) == -dtype.greatestFiniteMagnitude)
            #expect(stored(-0.0, dtype).sign == .minus)
        }
        #expect(stored(0x1p-25, .float16) == 0 && stored(0x1.8p-25, .float16) == 0x1p-24)
        #expect(stored(0x1p-134, .bfloat16) == 0 && stored(0x1.8p-134, .bfloat16) == 0x1p-133)
    }

    // Catches: a NaN that is taken for a number, the largest number for an infinity, or either
    // where lines, groups of four lines and what is left of them meet.
    @Test("what is not finite is found wherever it lies", arguments: DType.allCases)
    func finite(_ dtype: DType) {
        let width = dtype.byteCount
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 200 * width, alignment: 64)
        defer { memory.deallocate() }
        // The exponent's bits, alone (infinity) and with the lowest or all of the others.
        let exponent: UInt64 =
            switch dtype {
            case .float64: 0x7ff0_0000_0000_0000
            case .float32: 0x7f80_0000
            case .float16: 0x7c00
            case .bfloat16: 0x7f80
            }
        let sign = UInt64(1) << (8 * width - 1)
        func store(_ bits: UInt64, _ index: Int) {
            withUnsafeBytes(of: bits.littleEndian) {
                (memory + index * width).copyMemory(from: $0.baseAddress!, byteCount: width)
            }
        }
        for count in [0, 1, 15, 16, 17, 63, 64, 65, 80, 130] {
            for i in 0..<count { store(exponent - 1 + (i % 2 == 0 ? 0 : sign), i) }
            #expect(dtype.areFinite(memory, count: count), "\(dtype) \(count)")
            for place in 0..<count {
                for bits in [exponent, exponent + 1, sign - 1, exponent + sign, sign | (sign - 1)] {
                    store(bits, place)
                    #expect(!dtype.areFinite(memory, count: count), "\(count) \(place)")
                }
                store(0, place)
            }
        }
    }

    // Catches: a row pass that widens wrongly: every finite pattern goes through the operator.
    @Test(
        "all finite numbers pass values, hard, as they are", arguments: [DType.float16, .bfloat16])
    func wholeRange(_ dtype: DType) throws {
        let op = try #require(Registry.find("values"))
        let all = (UInt16.min...UInt16.max).map { pattern in
            Wire.numbers(withUnsafeBytes(of: pattern) { Array($0) }, dtype)[0]
        }.filter { $0.isFinite }
        for largest in [true, false] {
            let parameters = Compute.parameters(
                op, k: [all.count], lambda: [0], ["largest": .boolean(largest)])
            let y = try Compute.forward(op, [all], dtype: dtype, parameters)[0]
            #expect(y == all)
        }
    }

    @Test("16 bits in are float64 of the same numbers, rounded once", arguments: Registry.names)
    func precision(_ name: String) throws {
        let op = try #require(Registry.find(name))
        var random = SplitMix64(seed: 32)
        for dtype in [DType.float16, .bfloat16] {
            for _ in 0..<150 {
                // Long rows take the way through group maxima.
                let n = try Samples.lengths(op, [3, 50, 700]).randomElement(using: &random)!
                let x = Compute.rounded(random.normals(n), dtype)
                let parameters = try Samples.parameters(op, n: n, using: &random)
                let length = Samples.cotangentLength(op, n: n, parameters)
                let c = Compute.rounded(random.normals(length), dtype)
                let wide = try Compute.forward(op, [x], parameters)
                let narrow = try Compute.forward(op, [x], dtype: dtype, parameters)
                let isRounded = try zip(narrow, wide).allSatisfy {
                    try Samples.isRounded(op, $0, from: $1, dtype)
                }
                #expect(isRounded, "\(name) \(dtype)")
                let wideGradient = try Compute.vjp(op, [x], [[c]], parameters)[0][0]
                let gradient = try Compute.vjp(op, [x], [[c]], dtype: dtype, parameters)[0][0]
                guard case .once = try Samples.of(op).rounding else { continue }
                #expect(gradient == Compute.rounded(wideGradient, dtype), "\(name) \(dtype)")
            }
        }
    }

    // Catches: an infinity where the gradient is beyond the type.
    @Test("what is beyond the type becomes its largest number", arguments: DType.allCases)
    func overflow(_ dtype: DType) throws {
        let op = try #require(Registry.find("mask"))
        // D = 1 / lambda = 2^1000.
        let parameters = Compute.parameters(op, k: [1], lambda: [0x1p-1000], p: 2)
        let c = [1000.0, -1000]
        let g = try Compute.vjp(op, [[1, 1]], [[c]], dtype: dtype, parameters)[0][0]
        let limit = min(dtype.greatestFiniteMagnitude, 1000 * 0x1p1000)
        #expect(abs(g[0]) <= limit && g[0] >= limit / 2 && g[1] == -g[0], "\(g)")
    }

    @Test("NaN and infinities are found in every type", arguments: DType.allCases)
    func notFinite(_ dtype: DType) throws {
        let op = try #require(Registry.find("mask"))
        let parameters = Compute.parameters(op, k: [1])
        for bad in [Double.nan, .infinity] {
            var x = [Double](repeating: 1, count: 100)
            x[71] = bad
            do {
                _ = try Compute.forward(op, [x], dtype: dtype, parameters)
                Issue.record("\(bad) passed as \(dtype)")
            } catch {
                #expect(
                    error
                        == .notFinite(
                            input: "x", row: 0, column: 71,
                            value: bad.isNaN ? .nan : .positiveInfinity))
            }
        }
        let masked: [Double] = [-.infinity, 2, 1]
        #expect(
            try Compute.forward(op, [masked], dtype: dtype, parameters) == [[0, 1, 0]])
    }
}
