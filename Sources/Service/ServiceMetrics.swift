import Execution
import Metrics
import Operators

/// Every metric that requests move, declared once. Prefix topkd_, Prometheus base units.
package final class ServiceMetrics: Sendable {
    package let httpRequests: Counter
    package let codecRequests: Counter
    package let rejected: Counter
    package let cancelled: Counter
    package let stageDuration: Histogram
    package let rows: Counter
    package let elements: Counter
    package let nonzeros: Counter
    package let nonconvergedRows: Counter
    package let connectionsClosed: Counter
    package let connectionsOpen = UpDown()
    private let statuses: [Int]
    /// As texts: making one took as long as all that is counted.
    private let statusLabels: [String]

    /// The children of each procedure: looking six of them up by their words takes longer than
    /// counting.
    private let children: [ObjectIdentifier: Children]

    private struct Children {
        /// The first stage's, and how far the next one's is from it.
        let stage: Int
        let stageStride: Int
        let nonzeros: Int
    }

    /// Methods beside these are counted as "other".
    package static let methods = ["GET", "HEAD", "POST", "other"]
    /// Where a request can be when its client goes away.
    package static let phases = ["receive", "queue", "compute", "send"]

    /// - Parameters:
    ///   - routes: the route table's paths; "other" is added for unknown ones.
    ///   - statuses: every status that a handler can answer.
    ///   - rejections: every reason for which a request is turned away.
    package init(
        _ catalog: Catalog, routes: [String], statuses: [Int], codecs: [String],
        rejections: [String],
        connectionEnds: [String]
    ) {
        self.statuses = statuses
        statusLabels = statuses.map { String($0) }
        httpRequests = Counter(
            "topkd_http_requests_total",
            help: "Requests answered, by route, method and status code.",
            labels: [
                ("route", routes + ["other"]), ("method", Self.methods),
                ("code", statusLabels),
            ], omitsZeros: true)
        codecRequests = Counter(
            "topkd_codec_requests_total", help: "Requests decoded, by codec.",
            labels: [("codec", codecs)])
        rejected = Counter(
            "topkd_rejected_total",
            help: "Requests answered with an error, by its code.",
            labels: [("reason", rejections)])
        cancelled = Counter(
            "topkd_cancelled_total", help: "Requests whose client went away, by phase.",
            labels: [("phase", Self.phases)])
        let operators = catalog.labels
        var names: [String] = []
        for procedure in catalog.procedures where !names.contains(procedure.name) {
            names.append(procedure.name)
        }
        // Not every operator has every procedure.
        let exists = { (operatorName: String, name: String) in
            catalog.procedures.contains { $0.operatorName == operatorName && $0.name == name }
        }
        stageDuration = Histogram(
            "topkd_stage_duration_seconds", help: "Time spent in each stage of a request.",
            labels: [
                ("stage", Stage.allCases.map { $0.rawValue }), ("operator", operators),
                ("direction", names),
            ]
        ) { exists($0[1], $0[2]) }
        rows = Counter("topkd_rows_total", help: "Rows computed.")
        elements = Counter("topkd_elements_total", help: "Numbers of x computed.")
        nonzeros = Counter(
            "topkd_nonzeros_total", help: "Non-zero numbers answered.",
            labels: [("operator", operators), ("direction", names)]
        ) { exists($0[0], $0[1]) }
        children = Self.children(catalog, stageDuration, nonzeros)
        nonconvergedRows = Counter(
            "topkd_nonconverged_rows_total", help: "Rows whose solver reached its limit.")
        connectionsClosed = Counter(
            "topkd_connections_closed_total", help: "Connections closed, by reason.",
            labels: [("reason", connectionEnds)])
    }

    private static func children(
        _ catalog: Catalog, _ durations: Histogram, _ nonzeros: Counter
    ) -> [ObjectIdentifier: Children] {
        let stages = Stage.allCases.map { $0.rawValue }
        var all: [ObjectIdentifier: Children] = [:]
        for procedure in catalog.procedures {
            let (name, direction) = (procedure.operatorName, procedure.name)
            let children = stages.map { durations.child($0, name, direction) }
            let stride = children[1] - children[0]
            precondition(
                children.indices.allSatisfy { children[$0] == children[0] + $0 * stride })
            all[ObjectIdentifier(procedure)] = Children(
                stage: children[0], stageStride: stride, nonzeros: nonzeros.child(name, direction))
        }
        return all
    }

    private func children(of form: InvocationForm) -> Children {
        guard let children = children[ObjectIdentifier(form.procedure)] else {
            preconditionFailure("every procedure of the catalog has its children")
        }
        return children
    }

    /// Counts one answer.
    package func countAnswer(route: String, method: String, status: Int) {
        guard let place = statuses.firstIndex(of: status) else {
            preconditionFailure("status \(status) has no label")
        }
        httpRequests.add(1, route, method, statusLabels[place])
    }

    /// Counts one computed request.
    package func record(_ result: borrowing InvocationResult, _ timings: Timings) {
        let form = result.form
        rows.add(form.rowCount)
        elements.add(form.rowCount * form.rowLength)
        if result.nonconvergedRowCount > 0 { nonconvergedRows.add(result.nonconvergedRowCount) }
        let children = children(of: form)
        nonzeros.add(result.nonzeroCount, child: children.nonzeros)
        record(timings, children)
    }

    /// Counts the stages of one request whose operator is known.
    package func record(_ timings: Timings, _ form: InvocationForm) {
        record(timings, children(of: form))
    }

    private func record(_ timings: Timings, _ children: Children) {
        var child = children.stage
        for stage in Stage.allCases {
            stageDuration.observe(nanoseconds: timings[stage], child: child)
            child += children.stageStride
        }
    }

    /// In the order of /metrics.
    package var all: [any Metric] {
        [
            httpRequests, codecRequests, rejected, cancelled, stageDuration, rows, elements,
            nonzeros, nonconvergedRows, connectionsClosed,
        ]
    }
}
