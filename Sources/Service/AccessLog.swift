import Inference
import Logging

/// Which requests get a line in the log.
package enum AccessLog: String, CaseIterable, Sendable {
    case off
    /// Those that were answered with 400 and more, and those whose client went away.
    case errors
    case all

    func wants(status: Int?, isCancelled: Bool) -> Bool {
        switch self {
        case .off: false
        case .errors: (status ?? 400) >= 400 || isCancelled
        case .all: true
        }
    }
}

extension RequestRecord {
    /// The request's line: what was asked and how it went, never its numbers.
    ///
    /// - Parameter cancelledPhase: where it was when its client went away.
    func metadata(method: String, status: Int?, cancelledPhase: String?) -> Logger.Metadata {
        var line: Logger.Metadata = [
            "request_id": "\(requestID)", "method": "\(method)",
            "route": "\(route?.path ?? "other")", "body_bytes": "\(bodyBytes)",
            "answer_bytes": "\(answerBytes)",
        ]
        line["trace_id"] = traceID.map { "\($0)" }
        line["status"] = status.map { "\($0)" }
        line["code"] = problem.map { "\($0.rawValue)" }
        line["codecs"] = codecs.map { "\($0)" }
        line["cancelled"] = cancelledPhase.map { "\($0)" }
        if let summary {
            line["operator"] = "\(summary.operatorName)"
            line["direction"] = "\(summary.direction.rawValue)"
            line["rows"] = "\(summary.rowCount)"
            line["n"] = "\(summary.rowLength)"
            line["dtype"] = "\(summary.dtype.rawValue)"
            line["k"] = summary.k.map { k in Int(exactly: k).map { "\($0)" } ?? "\(k)" }
            line["nnz"] = nnz.map { "\($0)" }
        }
        if let timings {
            for stage in Stage.allCases {
                line["\(stage.rawValue)_us"] = "\((timings[stage] + 500) / 1000)"
            }
        }
        return line
    }
}
