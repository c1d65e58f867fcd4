import CKernels

/// The numeric types of values on the wire, by their NumPy (and ml_dtypes) names.
package enum DType: String, CaseIterable, Sendable {
    case float32
    case float64
    /// IEEE half precision.
    case float16
    /// The upper half of a float32: its range, with 8 bits of precision.
    case bfloat16

    /// Bytes of one element.
    package var byteCount: Int {
        switch self {
        case .float16, .bfloat16: 2
        case .float32: 4
        case .float64: 8
        }
    }

    /// The largest finite magnitude: results beyond it are clamped to it, inputs are refused.
    package var greatestFiniteMagnitude: Double {
        switch self {
        case .float16: 65504
        case .bfloat16: 0x1.fep127
        case .float32: Double(Float.greatestFiniteMagnitude)
        case .float64: .greatestFiniteMagnitude
        }
    }

    /// Rounds `value` once, to the nearest (ties to even), clamped to the finite range, and stores
    /// it as element `index` of `memory`. An infinity stays one: kernels have removed their own.
    @inline(__always)
    package func store(_ value: Double, _ memory: UnsafeMutableRawPointer, at index: Int) {
        switch self {
        case .float32:
            let limit = Float.greatestFiniteMagnitude
            let number = value.isFinite ? min(max(Float(value), -limit), limit) : Float(value)
            memory.storeBytes(of: number, toByteOffset: 4 * index, as: Float.self)
        case .float64:
            memory.storeBytes(of: value, toByteOffset: 8 * index, as: Double.self)
        case .float16:
            memory.storeBytes(
                of: HalfBits.float16(value), toByteOffset: 2 * index, as: UInt16.self)
        case .bfloat16:
            memory.storeBytes(
                of: HalfBits.bfloat16(value), toByteOffset: 2 * index, as: UInt16.self)
        }
    }

    /// Element `index` of `memory`.
    @inline(__always)
    package func load(_ memory: UnsafeRawPointer, at index: Int) -> Double {
        switch self {
        case .float32: Double(memory.loadUnaligned(fromByteOffset: 4 * index, as: Float.self))
        case .float64: memory.loadUnaligned(fromByteOffset: 8 * index, as: Double.self)
        case .float16:
            HalfBits.value(
                float16: memory.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
        case .bfloat16:
            HalfBits.value(
                bfloat16: memory.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
        }
    }

    /// Whether a finite number would be rounded beyond the finite range.
    package func overflows(_ value: Double) -> Bool {
        switch self {
        case .float64: false
        case .float32: Float(value).isInfinite
        case .float16: abs(value) >= 65520
        case .bfloat16: abs(value) >= 0x1.ffp127
        }
    }
}

extension DType {
    /// Whether `count` numbers are all finite. O(count).
    package func areFinite(_ memory: UnsafeRawPointer, count: Int) -> Bool {
        switch self {
        case .float32:
            CKernels_all_finite_f32(memory.assumingMemoryBound(to: Float.self), count)
        case .float64:
            CKernels_all_finite_f64(memory.assumingMemoryBound(to: Double.self), count)
        case .float16:
            CKernels_all_finite_16(memory.assumingMemoryBound(to: UInt16.self), count, 0x7c00)
        case .bfloat16:
            CKernels_all_finite_16(memory.assumingMemoryBound(to: UInt16.self), count, 0x7f80)
        }
    }
}
