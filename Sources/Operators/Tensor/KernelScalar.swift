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
    /// SOFT top-k, see CKernels.h.
    static func softDistances(
        _ x: UnsafePointer<Self>, count: Int, _ at: CKernels_Softness,
        _ out: UnsafeMutablePointer<Self>)
    static func softAbove(_ e: UnsafePointer<Self>, count: Int) -> Int
    static func softSums(_ e: UnsafePointer<Self>, count: Int, _ s: Double) -> CKernels_SoftSums
    static func softSides(_ e: UnsafePointer<Self>, count: Int, _ s: Double) -> CKernels_SoftSides
    static func softWeights(_ e: UnsafeMutablePointer<Self>, count: Int, _ s: Double)
    static func softSlopes(_ e: UnsafeMutablePointer<Self>, count: Int, _ s: Double)
    static func softMean(
        _ weights: UnsafePointer<Self>, _ c: UnsafePointer<Self>, count: Int, scale: Double,
        origin: Double
    ) -> CKernels_SoftMean
    static func softProduct(
        _ weights: UnsafePointer<Self>, _ c: UnsafePointer<Self>, count: Int, scale: Double,
        mean: Double, inverse: Double, _ out: UnsafeMutablePointer<Double>)
    static func pack(
        _ values: UnsafePointer<Self>, count: Int, _ data: UnsafeMutablePointer<Self>,
        _ indices: UnsafeMutablePointer<Int32>, _ isFinite: inout Bool
    ) -> Int
    /// a + b into `out`, and the sums of it and its square, measured from `shift`.
    static func moments(
        _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Self>
    ) -> CKernels_Moments
    static func exceeding(_ x: UnsafePointer<Self>, count: Int, bound: Self) -> Int
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

    static func moments(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Float>
    ) -> CKernels_Moments {
        CKernels_moments_f32(a, b, count, shift, out)
    }

    static func exceeding(_ x: UnsafePointer<Float>, count: Int, bound: Float) -> Int {
        CKernels_exceeding_f32(x, count, bound)
    }

    static func softDistances(
        _ x: UnsafePointer<Float>, count: Int, _ at: CKernels_Softness,
        _ out: UnsafeMutablePointer<Float>
    ) {
        CKernels_soft_distances_f32(x, count, at, out)
    }

    static func softAbove(_ e: UnsafePointer<Float>, count: Int) -> Int {
        CKernels_soft_above_f32(e, count)
    }

    static func softSums(_ e: UnsafePointer<Float>, count: Int, _ s: Double) -> CKernels_SoftSums {
        CKernels_soft_sums_f32(e, count, s)
    }

    static func softSides(
        _ e: UnsafePointer<Float>, count: Int, _ s: Double
    ) -> CKernels_SoftSides {
        CKernels_soft_sides_f32(e, count, s)
    }

    static func softWeights(_ e: UnsafeMutablePointer<Float>, count: Int, _ s: Double) {
        CKernels_soft_weights_f32(e, count, s)
    }

    static func softSlopes(_ e: UnsafeMutablePointer<Float>, count: Int, _ s: Double) {
        CKernels_soft_slopes_f32(e, count, s)
    }

    static func softMean(
        _ weights: UnsafePointer<Float>, _ c: UnsafePointer<Float>, count: Int, scale: Double,
        origin: Double
    ) -> CKernels_SoftMean {
        CKernels_soft_mean_f32(weights, c, count, scale, origin)
    }

    static func softProduct(
        _ weights: UnsafePointer<Float>, _ c: UnsafePointer<Float>, count: Int, scale: Double,
        mean: Double, inverse: Double, _ out: UnsafeMutablePointer<Double>
    ) {
        CKernels_soft_product_f32(weights, c, count, scale, mean, inverse, out)
    }

    static func pack(
        _ values: UnsafePointer<Float>, count: Int, _ data: UnsafeMutablePointer<Float>,
        _ indices: UnsafeMutablePointer<Int32>, _ isFinite: inout Bool
    ) -> Int {
        CKernels_pack_f32(values, count, data, indices, &isFinite)
    }

    static func rowTops(
        _ x: UnsafePointer<Float>, rows: Int, rowLength: Int, _ count: Int, isAbsolute: Bool,
        _ tops: UnsafeMutablePointer<Double>
    ) {
        CKernels_row_tops_f32(x, rows, rowLength, count, isAbsolute, tops)
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

    static func moments(
        _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Double>
    ) -> CKernels_Moments {
        CKernels_moments_f64(a, b, count, shift, out)
    }

    static func exceeding(_ x: UnsafePointer<Double>, count: Int, bound: Double) -> Int {
        CKernels_exceeding_f64(x, count, bound)
    }

    static func softDistances(
        _ x: UnsafePointer<Double>, count: Int, _ at: CKernels_Softness,
        _ out: UnsafeMutablePointer<Double>
    ) {
        CKernels_soft_distances_f64(x, count, at, out)
    }

    static func softAbove(_ e: UnsafePointer<Double>, count: Int) -> Int {
        CKernels_soft_above_f64(e, count)
    }

    static func softSums(_ e: UnsafePointer<Double>, count: Int, _ s: Double) -> CKernels_SoftSums {
        CKernels_soft_sums_f64(e, count, s)
    }

    static func softSides(
        _ e: UnsafePointer<Double>, count: Int, _ s: Double
    ) -> CKernels_SoftSides {
        CKernels_soft_sides_f64(e, count, s)
    }

    static func softWeights(_ e: UnsafeMutablePointer<Double>, count: Int, _ s: Double) {
        CKernels_soft_weights_f64(e, count, s)
    }

    static func softSlopes(_ e: UnsafeMutablePointer<Double>, count: Int, _ s: Double) {
        CKernels_soft_slopes_f64(e, count, s)
    }

    static func softMean(
        _ weights: UnsafePointer<Double>, _ c: UnsafePointer<Double>, count: Int, scale: Double,
        origin: Double
    ) -> CKernels_SoftMean {
        CKernels_soft_mean_f64(weights, c, count, scale, origin)
    }

    static func softProduct(
        _ weights: UnsafePointer<Double>, _ c: UnsafePointer<Double>, count: Int, scale: Double,
        mean: Double, inverse: Double, _ out: UnsafeMutablePointer<Double>
    ) {
        CKernels_soft_product_f64(weights, c, count, scale, mean, inverse, out)
    }

    static func pack(
        _ values: UnsafePointer<Double>, count: Int, _ data: UnsafeMutablePointer<Double>,
        _ indices: UnsafeMutablePointer<Int32>, _ isFinite: inout Bool
    ) -> Int {
        CKernels_pack_f64(values, count, data, indices, &isFinite)
    }

    static func rowTops(
        _ x: UnsafePointer<Double>, rows: Int, rowLength: Int, _ count: Int, isAbsolute: Bool,
        _ tops: UnsafeMutablePointer<Double>
    ) {
        CKernels_row_tops_f64(x, rows, rowLength, count, isAbsolute, tops)
    }

    static func signs(
        _ x: UnsafePointer<Double>, _ columns: UnsafePointer<Int32>, count: Int,
        _ out: UnsafeMutablePointer<Double>
    ) {
        CKernels_signs_f64(x, columns, count, out)
    }
}
