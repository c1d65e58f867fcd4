import CKernels

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
/// Kernels load a `KernelScalar`, solve in `Double` on the few candidates, and round once at the
/// end. The passes over whole rows are C, see CKernels.h.
protocol KernelScalar: BinaryFloatingPoint {
    static var dtype: DType { get }
    static func groupMaxima(
        _ x: UnsafePointer<Self>, blocks: Int, height: Int, isAbsolute: Bool,
        _ maxima: UnsafeMutablePointer<Double>)
    static func gather(
        _ x: UnsafePointer<Self>, _ range: Range<Int>, bound: Self, isAbsolute: Bool,
        _ scores: UnsafeMutablePointer<Double>, _ columns: UnsafeMutablePointer<Int32>
    ) -> Int
    static func areFinite(_ x: UnsafePointer<Self>, count: Int) -> Bool
}

extension Float: KernelScalar {
    static var dtype: DType { .float32 }

    static func groupMaxima(
        _ x: UnsafePointer<Float>, blocks: Int, height: Int, isAbsolute: Bool,
        _ maxima: UnsafeMutablePointer<Double>
    ) {
        CKernels_group_maxima_f32(x, blocks, height, isAbsolute, maxima)
    }

    static func gather(
        _ x: UnsafePointer<Float>, _ range: Range<Int>, bound: Float, isAbsolute: Bool,
        _ scores: UnsafeMutablePointer<Double>, _ columns: UnsafeMutablePointer<Int32>
    ) -> Int {
        CKernels_gather_f32(
            x, range.lowerBound, range.upperBound, bound, isAbsolute, scores, columns)
    }

    static func areFinite(_ x: UnsafePointer<Float>, count: Int) -> Bool {
        CKernels_all_finite_f32(x, count)
    }
}

extension Double: KernelScalar {
    static var dtype: DType { .float64 }

    static func groupMaxima(
        _ x: UnsafePointer<Double>, blocks: Int, height: Int, isAbsolute: Bool,
        _ maxima: UnsafeMutablePointer<Double>
    ) {
        CKernels_group_maxima_f64(x, blocks, height, isAbsolute, maxima)
    }

    static func gather(
        _ x: UnsafePointer<Double>, _ range: Range<Int>, bound: Double, isAbsolute: Bool,
        _ scores: UnsafeMutablePointer<Double>, _ columns: UnsafeMutablePointer<Int32>
    ) -> Int {
        CKernels_gather_f64(
            x, range.lowerBound, range.upperBound, bound, isAbsolute, scores, columns)
    }

    static func areFinite(_ x: UnsafePointer<Double>, count: Int) -> Bool {
        CKernels_all_finite_f64(x, count)
    }
}
