/// The numeric types of values on the wire, by their NumPy names.
package enum DType: String, CaseIterable, Sendable {
    case float32
    case float64

    /// Bytes of one element.
    package var byteCount: Int {
        switch self {
        case .float32: 4
        case .float64: 8
        }
    }

    /// The largest finite magnitude: results beyond it are clamped, inputs beyond it are refused.
    package var greatestFiniteMagnitude: Double {
        switch self {
        case .float32: Double(Float.greatestFiniteMagnitude)
        case .float64: .greatestFiniteMagnitude
        }
    }
}

/// The element types that kernels are compiled for.
///
/// Kernels load a `KernelScalar`, solve in `Double` on the few candidates, and round once at the end.
protocol KernelScalar: BinaryFloatingPoint, SIMDScalar, Codable {
    static var dtype: DType { get }
}

extension Float: KernelScalar {
    static var dtype: DType { .float32 }
}

extension Double: KernelScalar {
    static var dtype: DType { .float64 }
}
