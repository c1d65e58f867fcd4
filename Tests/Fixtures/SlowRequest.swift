extension HTTPClient {
    private static let slowBody: [UInt8] = {
        var random = SplitMix64(seed: 9)
        return Wire.bytes(random.normals(64 * 4096), .float32)
    }()

    /// Sends a request that keeps a worker busy for a while: many rows, every entry active.
    package func sendSlowRequest() {
        send(
            "POST /topk?n=4096&k=2048&lambda=10&p=1.5 HTTP/1.1\r\nHost: t\r\n"
                + "Content-Type: application/octet-stream\r\n"
                + "Content-Length: \(Self.slowBody.count)\r\n\r\n")
        send(Self.slowBody)
    }
}
