import CKernels

/// Kernels of gaussian_k, for the types that rows are computed in; see CKernels_gaussian.h.
protocol GaussianScalar: KernelScalar {
    /// a + b into `out`, the sums of it and its square from `shift`, and its group maxima.
    static func moments(
        _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Self>, height: Int, _ maxima: UnsafeMutablePointer<Self>
    ) -> CKernels_Moments
}

extension Float: GaussianScalar {
    static func moments(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Float>, height: Int, _ maxima: UnsafeMutablePointer<Float>
    ) -> CKernels_Moments {
        CKernels_moments_f32(a, b, count, shift, out, height, maxima)
    }
}

extension Double: GaussianScalar {
    static func moments(
        _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>?, count: Int, shift: Double,
        _ out: UnsafeMutablePointer<Double>, height: Int, _ maxima: UnsafeMutablePointer<Double>
    ) -> CKernels_Moments {
        CKernels_moments_f64(a, b, count, shift, out, height, maxima)
    }
}
