import CKernels
import Glibc

/// A row of SOFT top-k measured from a centre near its threshold, see measure.c: its entries
/// E = exp((x - c) / tau), and those of them that a threshold near the centre is made of.
///
/// Legend: t the threshold, s = exp((t - c) / tau), y = E / (E + s).
struct SoftEntries<S: SoftScalar> {
    private let e: UnsafeMutablePointer<S>
    private let count: Int
    private let near: UnsafeMutablePointer<S>
    private let columns: UnsafeMutablePointer<Int32>
    private let split: CKernels_SoftSplit
    private let countsCentre: Bool

    /// What entries at the centre count as.
    enum Side: Int32 {
        case below = -1
        case none = 0
        case above = 1
    }

    var centre: Double { split.centre }

    /// O(n).
    ///
    /// - Parameter e: room for the row in whole lines of 16.
    init(
        _ row: UnsafeBufferPointer<S>, from centre: Double, tau: Double, _ side: Side,
        _ scratch: SoftTopKScratch, into e: UnsafeMutablePointer<S>
    ) {
        guard let x = row.baseAddress else { preconditionFailure("rows are not empty") }
        count = row.count
        // Where most are near, all are looked at.
        let nearMax = count / 3
        near = UnsafeMutableRawPointer(
            scratch.near.reserve(nearMax + 80)
        ).assumingMemoryBound(to: S.self)
        columns = scratch.nearColumns.reserve(nearMax + 80)
        self.e = e
        countsCentre = side == .above
        split = S.softMeasure(
            x, count: count,
            CKernels_Softness(centre: centre, tau: tau, side: side.rawValue),
            &scratch.scale, e, nearMax: nearMax, near, columns)
    }

    /// Whether what is far below the centre has r = E / s <= 2^-12 (2^-26 in float64): a share of
    /// r - r^2, to rounding.
    static func isNear(_ s: Double) -> Bool { s >= 0x1p-4 && s <= 0x1p4 }

    /// How many are near: nil if those are too many, or s is not near 1.
    private func nearCount(_ s: Double) -> Int? {
        split.near != Int(bitPattern: UInt.max) && Self.isNear(s) ? split.near : nil
    }

    func sums(_ s: Double) -> CKernels_SoftSums {
        guard let nearCount = nearCount(s) else {
            return S.softSums(e, count: count, s, countsCentre: countsCentre)
        }
        var sums = S.softSums(near, count: nearCount, s, countsCentre: countsCentre)
        let first = split.sum / s
        let second = split.squares / s / s
        sums.excess += first - second
        sums.slope += first - 2 * second
        sums.bend += first - 4 * second
        sums.squares += second
        return sums
    }

    func sides(_ s: Double) -> CKernels_SoftSides {
        guard let nearCount = nearCount(s) else {
            return S.softSides(e, count: count, s, countsCentre: countsCentre)
        }
        var sides = S.softSides(near, count: nearCount, s, countsCentre: countsCentre)
        let first = split.sum / s
        let second = split.squares / s / s
        sides.below += first - second
        sides.slope_below += first - 2 * second
        return sides
    }

    /// Makes y of the entries; whether all are positive.
    func makeWeights(_ s: Double) -> Bool {
        guard let nearCount = nearCount(s) else { return S.softWeights(e, count: count, s) }
        return S.softFewWeights(e, count: count, s, columns, near, nearCount: nearCount)
    }

    /// Makes y (1 - y) of the entries; which of them is the largest.
    func makeSlopes(_ s: Double) -> Int {
        guard let nearCount = nearCount(s), nearCount > 0 else {
            return S.softSlopes(e, count: count, s)
        }
        return S.softFewSlopes(e, count: count, s, columns, near, nearCount: nearCount)
    }
}
