import Execution
import Metrics
import Operators

/// Metrics that are read from their owners when they are scraped.
enum ServiceGauges {
    static func all(_ state: ServiceState) -> [any Metric] {
        let workers = state.scheduler
        let buffers = state.buffers
        return [
            Gauge("topkd_queue_depth", help: "Requests that wait for a worker.") {
                Double(workers.queueDepth)
            },
            Gauge("topkd_queue_capacity", help: "Requests that may wait for a worker.") {
                Double(workers.queueDepthMax)
            },
            Gauge("topkd_inflight_requests", help: "Requests accepted and not yet answered.") {
                Double(workers.unfinished)
            },
            Gauge("topkd_inflight_bytes", help: "Memory that requests hold.") {
                Double(buffers.inUseBytes)
            },
            Gauge("topkd_inflight_bytes_limit", help: "Memory that requests may hold.") {
                Double(buffers.budgetBytes)
            },
            Gauge("topkd_workers", help: "Threads that compute.") { Double(workers.workerCount) },
            Gauge("topkd_workers_busy", help: "Threads that compute right now.") {
                Double(workers.busyWorkers)
            },
            Gauge("topkd_draining", help: "1 while the service shuts down.") {
                state.isDraining ? 1 : 0
            },
            Gauge("topkd_connections_open", help: "Open connections.") {
                [metrics = state.metrics] in
                Double(metrics.connectionsOpen.value)
            },
            Gauge(
                "topkd_build_info", help: "1; the labels say what runs.",
                labels: [("version", Version.current), ("isa", InstructionSet.current.rawValue)]
            ) { 1 },
        ]
    }
}
