import CKernels

/// Kernels that write or sum up whole rows, for the types that rows are computed in.
protocol DenseScalar: BinaryFloatingPoint {
    static func pack(
        _ values: UnsafePointer<Self>, count: Int, as dtype: DType,
        _ data: UnsafeMutableRawPointer, _ indices: UnsafeMutablePointer<Int32>,
        _ isFinite: inout Bool
    ) -> Int
    /// All of the numbers in a type of 16 bits, zeros with their sign.
    static func narrow(
        _ values: UnsafePointer<Self>, count: Int, as dtype: DType,
        _ out: UnsafeMutableRawPointer)
}

extension Float: DenseScalar {
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
