import Execution
import Logging
import Operators
import Protocols

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

/// What the log says of a request: what was asked and how it went, never its numbers.
struct Receipt {
    /// The pattern of its route.
    var route = "other"
    var bodyBytes = 0
    var answerBytes = 0
    /// "json", or "json>octet-stream" where they differ; empty of what has no body.
    var encodings = ""
    var outcome = Outcome.page

    enum Outcome {
        /// Nothing was asked to be computed, or nothing has been said yet.
        case page
        case refused(ProblemCode)
        case undecoded(ProblemCode, Timings)
        case failed(ProblemCode, Computed, Timings)
        case computed(Computed, Timings, _ nonzeroCount: Int)
        /// Its client had gone, in this stage.
        case abandoned(Stage)
    }

    /// What was, or was to be, computed. Not the form: that holds parameters, of which there may be
    /// many.
    struct Computed {
        let operatorName: String
        let procedure: String
        let summary: InvocationForm.Summary

        init(_ form: InvocationForm) {
            operatorName = form.procedure.operatorName
            procedure = form.procedure.name
            summary = form.summary
        }

        func add(to line: inout Logger.Metadata) {
            line["operator"] = "\(operatorName)"
            line["direction"] = "\(procedure)"
            line["rows"] = "\(summary.rowCount)"
            line["n"] = "\(summary.rowLength)"
            line["dtype"] = "\(summary.dtype.rawValue)"
            line["k"] = summary.k.map { k in Int(exactly: k).map { "\($0)" } ?? "\(k)" }
        }
    }

    var abandonedStage: Stage? {
        if case .abandoned(let stage) = outcome { stage } else { nil }
    }
}

extension Request {
    /// The request's line.
    ///
    /// - Parameter cancelledPhase: where it was when its client went away.
    func metadata(method: String, status: Int?, cancelledPhase: String?) -> Logger.Metadata {
        var line: Logger.Metadata = [
            "request_id": "\(id)", "method": "\(method)", "route": "\(receipt.route)",
            "body_bytes": "\(receipt.bodyBytes)", "answer_bytes": "\(receipt.answerBytes)",
        ]
        if !traceID.isEmpty { line["trace_id"] = "\(traceID)" }
        line["status"] = status.map { "\($0)" }
        if !receipt.encodings.isEmpty { line["codecs"] = "\(receipt.encodings)" }
        line["cancelled"] = cancelledPhase.map { "\($0)" }
        switch receipt.outcome {
        case .page: break
        case .refused(let code): line["code"] = "\(code.rawValue)"
        case .undecoded(let code, let timings):
            line["code"] = "\(code.rawValue)"
            Self.add(timings, to: &line)
        case .failed(let code, let computed, let timings):
            line["code"] = "\(code.rawValue)"
            computed.add(to: &line)
            Self.add(timings, to: &line)
        case .computed(let computed, let timings, let nonzeroCount):
            computed.add(to: &line)
            line["nnz"] = "\(nonzeroCount)"
            Self.add(timings, to: &line)
        case .abandoned: line["code"] = "\(ProblemCode.clientGone.rawValue)"
        }
        return line
    }

    private static func add(_ timings: Timings, to line: inout Logger.Metadata) {
        for stage in Stage.allCases {
            line["\(stage.rawValue)_us"] = "\((timings[stage] + 500) / 1000)"
        }
    }
}
