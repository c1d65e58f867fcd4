import Testing

@testable import Metrics

/// Catches a page that Prometheus would read differently from what was counted.
@Suite struct ExpositionTests {
    @Test("counters print one line a child, labels in order")
    func counter() {
        let counter = Counter(
            "a_total", help: "Help.", labels: [("x", ["1", "2"]), ("y", ["p", "q\"\n\\"])])
        counter.add(3, "2", "q\"\n\\")
        let expected = """
            # HELP a_total Help.
            # TYPE a_total counter
            a_total{x="1",y="p"} 0
            a_total{x="1",y="q\\"\\n\\\\"} 0
            a_total{x="2",y="p"} 0
            a_total{x="2",y="q\\"\\n\\\\"} 3

            """
        #expect(Exposition.render([counter]) == expected)
        #expect(counter.value("2", "q\"\n\\") == 3)
    }

    @Test("zeros are left out where asked")
    func omitsZeros() {
        let counter = Counter("a_total", help: "h", labels: [("x", ["1", "2"])], omitsZeros: true)
        counter.add(1, "2")
        #expect(Exposition.render([counter]).hasSuffix("counter\na_total{x=\"2\"} 1\n"))
    }

    @Test("histogram buckets are cumulative, bounds inclusive, sum in seconds")
    func histogram() {
        let histogram = Histogram("d_seconds", help: "h", labels: [("s", ["a"])])
        histogram.observe(nanoseconds: 5_000, "a")
        histogram.observe(nanoseconds: 5_001, "a")
        histogram.observe(nanoseconds: 20_000_000_000, "a")
        let text = Exposition.render([histogram])
        #expect(text.contains("d_seconds_bucket{s=\"a\",le=\"5e-06\"} 1\n"))
        #expect(text.contains("d_seconds_bucket{s=\"a\",le=\"1e-05\"} 2\n"))
        #expect(text.contains("d_seconds_bucket{s=\"a\",le=\"10.0\"} 2\n"))
        #expect(text.contains("d_seconds_bucket{s=\"a\",le=\"+Inf\"} 3\n"))
        #expect(text.contains("d_seconds_sum{s=\"a\"} 20.000010001\n"))
        #expect(text.contains("d_seconds_count{s=\"a\"} 3\n"))
        #expect(histogram.count("a") == 3)
        #expect(Histogram.boundsNanoseconds == Histogram.boundsNanoseconds.sorted())
    }

    @Test("a gauge is read when the page is made")
    func gauge() {
        let upDown = UpDown()
        let gauge = Gauge("g", help: "h", labels: [("v", "1")]) { Double(upDown.value) }
        upDown.add(5)
        upDown.add(-2)
        #expect(Exposition.render([gauge]) == "# HELP g h\n# TYPE g gauge\ng{v=\"1\"} 3.0\n")
    }
}
