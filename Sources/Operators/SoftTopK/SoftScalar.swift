import CKernels

/// Kernels of SOFT top-k, for the types that rows are computed in; see CKernels_soft.h.
protocol SoftScalar: KernelScalar {
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
}

extension Float: SoftScalar {
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
}

extension Double: SoftScalar {
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
}
