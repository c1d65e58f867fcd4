import CKernels

/// What the kernels are compiled for. Answers do not depend on it: no multiplication is fused with
/// an addition, and sums have the same sixteen lanes everywhere.
package enum InstructionSet: String, CaseIterable, Comparable, Sendable {
    /// Any x86-64 (SSE2), or any arm64 (NEON).
    case baseline
    /// x86-64-v3.
    case avx2
    /// x86-64-v4.
    case avx512

    /// The best that this processor has; it runs unless another is pinned.
    package static var best: InstructionSet { InstructionSet(CKernels_isa_best()) }

    package static var current: InstructionSet { InstructionSet(CKernels_isa_current()) }

    /// Pins one that this processor has, for every thread. Before requests come: a kernel reads it
    /// without a lock.
    package static func pin(_ choice: InstructionSet) {
        precondition(choice <= .best)
        CKernels_isa_set(choice.kernels)
    }

    package static func < (left: InstructionSet, right: InstructionSet) -> Bool {
        left.kernels.rawValue < right.kernels.rawValue
    }

    private init(_ kernels: CKernels_ISA) {
        switch kernels {
        case CKernels_isa_avx512: self = .avx512
        case CKernels_isa_avx2: self = .avx2
        default: self = .baseline
        }
    }

    private var kernels: CKernels_ISA {
        switch self {
        case .baseline: CKernels_isa_baseline
        case .avx2: CKernels_isa_avx2
        case .avx512: CKernels_isa_avx512
        }
    }
}
