import CKernels

/// The element types that kernels are compiled for; 16-bit floats are widened to `Float` first.
///
/// Kernels load a `KernelScalar`, solve in `Double` on the few candidates, and `SparseRows` rounds
/// once at the end. The passes over whole rows are C, see CKernels.h.
protocol KernelScalar: DenseScalar {
    /// Whether a row of `dtype` can be read where it lies.
    static func isStored(as dtype: DType) -> Bool
    /// Copies `count` numbers of `dtype`, negated if asked (-inf stays: never select).
    static func load(
        _ memory: UnsafeRawPointer, _ dtype: DType, count: Int, negated: Bool,
        into out: UnsafeMutablePointer<Self>)
    static func groupMaxima(
        _ x: UnsafePointer<Self>, count: Int, height: Int, isAbsolute: Bool,
        _ maxima: UnsafeMutablePointer<Self>
    ) -> Int
    static func lowerBound(_ maxima: UnsafePointer<Self>, count: Int, k: Int) -> Self
    static func gather(
        _ x: UnsafePointer<Self>, count: Int, height: Int, _ maxima: UnsafePointer<Self>,
        bound: Self, isAbsolute: Bool, _ scores: UnsafeMutablePointer<Double>,
        _ columns: UnsafeMutablePointer<Int32>
    ) -> Int
    static func collect(
        _ x: UnsafePointer<Self>, count: Int, bound: Self, isAbsolute: Bool,
        _ scores: UnsafeMutablePointer<Double>, _ columns: UnsafeMutablePointer<Int32>
    ) -> Int
    /// The largest numbers of up to 16 short rows at once, see CKernels.h.
    static func rowTops(
        _ x: UnsafePointer<Self>, rows: Int, rowLength: Int, _ count: Int, isAbsolute: Bool,
        _ tops: UnsafeMutablePointer<Double>)
    /// What may be active of up to 16 short rows, see CKernels_rows.h.
    static func findCandidates(
        _ x: UnsafePointer<Self>, rows: Int, _ of: UnsafeMutablePointer<CKernels_ShortRows>)
    /// The signs of some entries of a row.
    static func signs(
        _ x: UnsafePointer<Self>, _ columns: UnsafePointer<Int32>, count: Int,
        _ out: UnsafeMutablePointer<Double>)
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
        _ x: UnsafePointer<Float>, count: Int, height: Int, isAbsolute: Bool,
        _ maxima: UnsafeMutablePointer<Float>
    ) -> Int {
        CKernels_group_maxima_f32(x, count, height, isAbsolute, maxima)
    }

    static func lowerBound(_ maxima: UnsafePointer<Float>, count: Int, k: Int) -> Float {
        CKernels_lower_bound_f32(maxima, count, k)
    }

    static func gather(
        _ x: UnsafePointer<Float>, count: Int, height: Int, _ maxima: UnsafePointer<Float>,
        bound: Float, isAbsolute: Bool, _ scores: UnsafeMutablePointer<Double>,
        _ columns: UnsafeMutablePointer<Int32>
    ) -> Int {
        CKernels_gather_f32(x, count, height, maxima, bound, isAbsolute, scores, columns)
    }

    @inline(__always)
    static func collect(
        _ x: UnsafePointer<Float>, count: Int, bound: Float, isAbsolute: Bool,
        _ scores: UnsafeMutablePointer<Double>, _ columns: UnsafeMutablePointer<Int32>
    ) -> Int {
        CKernels_collect_f32(x, count, bound, isAbsolute, scores, columns)
    }

    static func rowTops(
        _ x: UnsafePointer<Float>, rows: Int, rowLength: Int, _ count: Int, isAbsolute: Bool,
        _ tops: UnsafeMutablePointer<Double>
    ) {
        CKernels_row_tops_f32(x, rows, rowLength, count, isAbsolute, tops)
    }

    static func findCandidates(
        _ x: UnsafePointer<Float>, rows: Int, _ of: UnsafeMutablePointer<CKernels_ShortRows>
    ) {
        CKernels_candidates_f32(x, rows, of)
    }

    static func signs(
        _ x: UnsafePointer<Float>, _ columns: UnsafePointer<Int32>, count: Int,
        _ out: UnsafeMutablePointer<Double>
    ) {
        CKernels_signs_f32(x, columns, count, out)
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
        _ x: UnsafePointer<Double>, count: Int, height: Int, isAbsolute: Bool,
        _ maxima: UnsafeMutablePointer<Double>
    ) -> Int {
        CKernels_group_maxima_f64(x, count, height, isAbsolute, maxima)
    }

    static func lowerBound(_ maxima: UnsafePointer<Double>, count: Int, k: Int) -> Double {
        CKernels_lower_bound_f64(maxima, count, k)
    }

    static func gather(
        _ x: UnsafePointer<Double>, count: Int, height: Int, _ maxima: UnsafePointer<Double>,
        bound: Double, isAbsolute: Bool, _ scores: UnsafeMutablePointer<Double>,
        _ columns: UnsafeMutablePointer<Int32>
    ) -> Int {
        CKernels_gather_f64(x, count, height, maxima, bound, isAbsolute, scores, columns)
    }

    @inline(__always)
    static func collect(
        _ x: UnsafePointer<Double>, count: Int, bound: Double, isAbsolute: Bool,
        _ scores: UnsafeMutablePointer<Double>, _ columns: UnsafeMutablePointer<Int32>
    ) -> Int {
        CKernels_collect_f64(x, count, bound, isAbsolute, scores, columns)
    }

    static func rowTops(
        _ x: UnsafePointer<Double>, rows: Int, rowLength: Int, _ count: Int, isAbsolute: Bool,
        _ tops: UnsafeMutablePointer<Double>
    ) {
        CKernels_row_tops_f64(x, rows, rowLength, count, isAbsolute, tops)
    }

    static func findCandidates(
        _ x: UnsafePointer<Double>, rows: Int, _ of: UnsafeMutablePointer<CKernels_ShortRows>
    ) {
        CKernels_candidates_f64(x, rows, of)
    }

    static func signs(
        _ x: UnsafePointer<Double>, _ columns: UnsafePointer<Int32>, count: Int,
        _ out: UnsafeMutablePointer<Double>
    ) {
        CKernels_signs_f64(x, columns, count, out)
    }
}
