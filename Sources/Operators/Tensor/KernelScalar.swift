import CKernels

/// The element types that kernels are compiled for; 16-bit floats are widened to `Float` first.
///
/// Kernels load a `KernelScalar`, solve in `Double` on the few candidates, and `SparseRows` rounds
/// once at the end. The passes over whole rows are C, see CKernels.h.
protocol KernelScalar: BinaryFloatingPoint {
    /// Whether a row of `dtype` can be read where it lies.
    static func isStored(as dtype: DType) -> Bool
    /// Copies `count` numbers of `dtype`, negated if asked (-inf stays: never select).
    static func load(
        _ memory: UnsafeRawPointer, _ dtype: DType, count: Int, negated: Bool,
        into out: UnsafeMutablePointer<Self>)
    static func groupMaxima(
        _ x: UnsafePointer<Self>, blocks: Int, height: Int, isAbsolute: Bool,
        _ maxima: UnsafeMutablePointer<Double>)
    static func gather(
        _ x: UnsafePointer<Self>, _ range: Range<Int>, bound: Self, isAbsolute: Bool,
        _ scores: UnsafeMutablePointer<Double>, _ columns: UnsafeMutablePointer<Int32>
    ) -> Int
}

extension Float: KernelScalar {
    static func isStored(as dtype: DType) -> Bool { dtype == .float32 }

    static func load(
        _ memory: UnsafeRawPointer, _ dtype: DType, count: Int, negated: Bool,
        into out: UnsafeMutablePointer<Float>
    ) {
        switch dtype {
        case .float32:
            CKernels_load_f32(memory.assumingMemoryBound(to: Float.self), count, negated, out)
        case .float16:
            CKernels_load_f16(memory.assumingMemoryBound(to: UInt16.self), count, negated, out)
        case .bfloat16:
            CKernels_load_bf16(memory.assumingMemoryBound(to: UInt16.self), count, negated, out)
        case .float64:
            preconditionFailure("float64 is computed as Double")
        }
    }

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
}

extension Double: KernelScalar {
    static func isStored(as dtype: DType) -> Bool { dtype == .float64 }

    static func load(
        _ memory: UnsafeRawPointer, _ dtype: DType, count: Int, negated: Bool,
        into out: UnsafeMutablePointer<Double>
    ) {
        precondition(dtype == .float64)
        CKernels_load_f64(memory.assumingMemoryBound(to: Double.self), count, negated, out)
    }

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
}
