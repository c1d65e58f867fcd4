extension Double {
    /// Brings infinities back to the largest finite number. Never called on NaN.
    @inline(__always)
    var finite: Double {
        min(max(self, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
    }
}
