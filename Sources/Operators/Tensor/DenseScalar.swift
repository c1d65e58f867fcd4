import CKernels

/// Kernels that write or sum up whole rows, for the types that rows are computed in.
protocol DenseScalar: BinaryFloatingPoint {
    /// SOFT top-k, see CKernels.h.
    static func softMeasure(
        _ x: UnsafePointer<Self>, count: Int, _ at: CKernels_Softness,
        _ scale: inout CKernels_SoftScale, _ e: UnsafeMutablePointer<Self>, nearMax: Int,
        _ near: UnsafeMutablePointer<Self>,
        _ columns: UnsafeMutablePointer<Int32>
    ) -> CKernels_SoftSplit
    static func softSums(
        _ e: UnsafePointer<Self>, count: Int, _ s: Double, countsCentre: Bool
    ) -> CKernels_SoftSums
    static func softSides(
        _ e: UnsafePointer<Self>, count: Int, _ s: Double, countsCentre: Bool
    ) -> CKernels_SoftSides
    static func softWeights(_ e: UnsafeMutablePointer<Self>, count: Int, _ s: Double) -> Bool
    static func softSlopes(_ e: UnsafeMutablePointer<Self>, count: Int, _ s: Double) -> Int
    static func softFewWeights(
        _ e: UnsafeMutablePointer<Self>, count: Int, _ s: Double, _ columns: UnsafePointer<Int32>,
        _ near: UnsafeMutablePointer<Self>, nearCount: Int
    ) -> Bool
    static func softFewSlopes(
        _ e: UnsafeMutablePointer<Self>, count: Int, _ s: Double, _ columns: UnsafePointer<Int32>,
        _ near: UnsafeMutablePointer<Self>, nearCount: Int
    ) -> Int
    static func softMean(
        _ weights: UnsafePointer<Self>, _ c: UnsafePointer<Self>, count: Int, scale: Double,
        origin: Double
    ) -> CKernels_SoftMean
    static func softProduct(
        _ weights: UnsafePointer<Self>, _ c: UnsafePointer<Self>, count: Int, scale: Double,
        mean: Double, factor: Double, _ out: UnsafeMutablePointer<Self>
    ) -> Bool
    static func pack(
        _ values: UnsafePointer<Self>, count: Int, as dtype: DType,
        _ data: UnsafeMutableRawPointer, _ indices: UnsafeMutablePointer<Int32>,
        _ isFinite: inout Bool
    ) -> Int
    /// All of the numbers in a type of 16 bits, zeros with their sign.
    static func narrow(
        _ values: UnsafePointer<Self>, count: Int, as dtype: DType,
        _ out: UnsafeMutableRawPointer)
    /// a + b into `out`, the sums of it and its square from `shift`, and its group maxima.
    static func moments(
        _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Self>, height: Int, _ maxima: UnsafeMutablePointer<Self>
    ) -> CKernels_Moments
}

extension Float: DenseScalar {
    static func moments(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Float>, height: Int, _ maxima: UnsafeMutablePointer<Float>
    ) -> CKernels_Moments {
        CKernels_moments_f32(a, b, count, shift, out, height, maxima)
    }

    static func softMeasure(
        _ x: UnsafePointer<Float>, count: Int, _ at: CKernels_Softness,
        _ scale: inout CKernels_SoftScale, _ e: UnsafeMutablePointer<Float>, nearMax: Int,
        _ near: UnsafeMutablePointer<Float>,
        _ columns: UnsafeMutablePointer<Int32>
    ) -> CKernels_SoftSplit {
        CKernels_soft_measure_f32(x, count, at, &scale, e, nearMax, near, columns)
    }

    static func softSums(
        _ e: UnsafePointer<Float>, count: Int, _ s: Double, countsCentre: Bool
    ) -> CKernels_SoftSums {
        CKernels_soft_sums_f32(e, count, s, countsCentre)
    }

    static func softSides(
        _ e: UnsafePointer<Float>, count: Int, _ s: Double, countsCentre: Bool
    ) -> CKernels_SoftSides {
        CKernels_soft_sides_f32(e, count, s, countsCentre)
    }

    static func softWeights(_ e: UnsafeMutablePointer<Float>, count: Int, _ s: Double) -> Bool {
        CKernels_soft_weights_f32(e, count, s)
    }

    static func softSlopes(_ e: UnsafeMutablePointer<Float>, count: Int, _ s: Double) -> Int {
        CKernels_soft_slopes_f32(e, count, s)
    }

    static func softFewWeights(
        _ e: UnsafeMutablePointer<Float>, count: Int, _ s: Double, _ columns: UnsafePointer<Int32>,
        _ near: UnsafeMutablePointer<Float>, nearCount: Int
    ) -> Bool {
        CKernels_soft_few_weights_f32(e, count, s, columns, near, nearCount)
    }

    static func softFewSlopes(
        _ e: UnsafeMutablePointer<Float>, count: Int, _ s: Double, _ columns: UnsafePointer<Int32>,
        _ near: UnsafeMutablePointer<Float>, nearCount: Int
    ) -> Int {
        CKernels_soft_few_slopes_f32(e, count, s, columns, near, nearCount)
    }

    static func softMean(
        _ weights: UnsafePointer<Float>, _ c: UnsafePointer<Float>, count: Int, scale: Double,
        origin: Double
    ) -> CKernels_SoftMean {
        CKernels_soft_mean_f32(weights, c, count, scale, origin)
    }

    static func softProduct(
        _ weights: UnsafePointer<Float>, _ c: UnsafePointer<Float>, count: Int, scale: Double,
        mean: Double, factor: Double, _ out: UnsafeMutablePointer<Float>
    ) -> Bool {
        CKernels_soft_product_f32(weights, c, count, scale, mean, factor, out)
    }

    static func pack(
        _ values: UnsafePointer<Float>, count: Int, as dtype: DType,
        _ data: UnsafeMutableRawPointer, _ indices: UnsafeMutablePointer<Int32>,
        _ isFinite: inout Bool
    ) -> Int {
        let halves = data.assumingMemoryBound(to: UInt16.self)
        switch dtype {
        case .float32:
            let data = data.assumingMemoryBound(to: Float.self)
            return CKernels_pack_f32(values, count, data, indices, &isFinite)
        case .float16: return CKernels_pack_f16(values, count, halves, indices, &isFinite)
        case .bfloat16: return CKernels_pack_bf16(values, count, halves, indices, &isFinite)
        case .float64: preconditionFailure("float64 is computed as Double")
        }
    }

    static func narrow(
        _ values: UnsafePointer<Float>, count: Int, as dtype: DType,
        _ out: UnsafeMutableRawPointer
    ) {
        let halves = out.assumingMemoryBound(to: UInt16.self)
        switch dtype {
        case .float16: CKernels_narrow_f16(values, count, halves)
        case .bfloat16: CKernels_narrow_bf16(values, count, halves)
        case .float32, .float64: preconditionFailure("only 16 bits are narrower")
        }
    }
}

extension Double: DenseScalar {
    static func moments(
        _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Double>, height: Int, _ maxima: UnsafeMutablePointer<Double>
    ) -> CKernels_Moments {
        CKernels_moments_f64(a, b, count, shift, out, height, maxima)
    }

    static func softMeasure(
        _ x: UnsafePointer<Double>, count: Int, _ at: CKernels_Softness,
        _ scale: inout CKernels_SoftScale, _ e: UnsafeMutablePointer<Double>, nearMax: Int,
        _ near: UnsafeMutablePointer<Double>,
        _ columns: UnsafeMutablePointer<Int32>
    ) -> CKernels_SoftSplit {
        CKernels_soft_measure_f64(x, count, at, &scale, e, nearMax, near, columns)
    }

    static func softSums(
        _ e: UnsafePointer<Double>, count: Int, _ s: Double, countsCentre: Bool
    ) -> CKernels_SoftSums {
        CKernels_soft_sums_f64(e, count, s, countsCentre)
    }

    static func softSides(
        _ e: UnsafePointer<Double>, count: Int, _ s: Double, countsCentre: Bool
    ) -> CKernels_SoftSides {
        CKernels_soft_sides_f64(e, count, s, countsCentre)
    }

    static func softWeights(_ e: UnsafeMutablePointer<Double>, count: Int, _ s: Double) -> Bool {
        CKernels_soft_weights_f64(e, count, s)
    }

    static func softSlopes(_ e: UnsafeMutablePointer<Double>, count: Int, _ s: Double) -> Int {
        CKernels_soft_slopes_f64(e, count, s)
    }

    static func softFewWeights(
        _ e: UnsafeMutablePointer<Double>, count: Int, _ s: Double, _ columns: UnsafePointer<Int32>,
        _ near: UnsafeMutablePointer<Double>, nearCount: Int
    ) -> Bool {
        CKernels_soft_few_weights_f64(e, count, s, columns, near, nearCount)
    }

    static func softFewSlopes(
        _ e: UnsafeMutablePointer<Double>, count: Int, _ s: Double, _ columns: UnsafePointer<Int32>,
        _ near: UnsafeMutablePointer<Double>, nearCount: Int
    ) -> Int {
        CKernels_soft_few_slopes_f64(e, count, s, columns, near, nearCount)
    }

    static func softMean(
        _ weights: UnsafePointer<Double>, _ c: UnsafePointer<Double>, count: Int, scale: Double,
        origin: Double
    ) -> CKernels_SoftMean {
        CKernels_soft_mean_f64(weights, c, count, scale, origin)
    }

    static func softProduct(
        _ weights: UnsafePointer<Double>, _ c: UnsafePointer<Double>, count: Int, scale: Double,
        mean: Double, factor: Double, _ out: UnsafeMutablePointer<Double>
    ) -> Bool {
        CKernels_soft_product_f64(weights, c, count, scale, mean, factor, out)
    }

    static func pack(
        _ values: UnsafePointer<Double>, count: Int, as dtype: DType,
        _ data: UnsafeMutableRawPointer, _ indices: UnsafeMutablePointer<Int32>,
        _ isFinite: inout Bool
    ) -> Int {
        precondition(dtype == .float64)
        let data = data.assumingMemoryBound(to: Double.self)
        return CKernels_pack_f64(values, count, data, indices, &isFinite)
    }

    static func narrow(
        _ values: UnsafePointer<Double>, count: Int, as dtype: DType,
        _ out: UnsafeMutableRawPointer
    ) {
        preconditionFailure("float64 is computed as Double")
    }
}
